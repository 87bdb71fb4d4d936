package dev.hapax.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hapax.spi.Encoded;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.json.JsonMapper;

class JsonCodecTest {

    record Order(String id, BigDecimal amount) {}

    private final JsonCodec codec =
            JsonCodec.builder().type("order.v1", Order.class).build();

    private String canonical(String json) {
        return new String(
                codec.canonical(JsonMapper.builder()
                        .enable(tools.jackson.databind.DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
                        .build()
                        .readTree(json)),
                StandardCharsets.UTF_8);
    }

    @Test
    void the_example_of_rfc_8785_comes_out_as_it_stands_there() {
        // RFC 8785, section 3.2.2 and 3.2.3.
        assertThat(canonical("""
                {
                  "numbers": [333333333.3333333, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
                  "string": "\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\"\\/",
                  "literals": [null, true, false]
                }"""))
                .isEqualTo("{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
                        + "\"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
    }

    @Test
    void members_are_sorted_by_utf_16_code_units() {
        // RFC 8785, section 3.2.3.
        assertThat(canonical("""
                {"\\u20ac": "Euro Sign", "\\r": "Carriage Return", "\\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
                 "\\ud83d\\ude00": "Emoji: Grinning Face", "\\u0080": "Control", "\\u00f6": "Latin Small Letter O With Diaeresis"}"""))
                .containsSubsequence("Carriage Return", "One", "Control", "Latin Small", "Euro", "Emoji", "Hebrew");
    }

    @ParameterizedTest
    @CsvSource({
        // RFC 8785, appendix B.
        "0000000000000000, 0",
        "8000000000000000, 0",
        "0000000000000001, 5e-324",
        "8000000000000001, -5e-324",
        "7fefffffffffffff, 1.7976931348623157e+308",
        "ffefffffffffffff, -1.7976931348623157e+308",
        "4340000000000000, 9007199254740992",
        "c340000000000000, -9007199254740992",
        "4430000000000000, 295147905179352830000",
        "44b52d02c7e14af5, 9.999999999999997e+22",
        "44b52d02c7e14af6, 1e+23",
        "44b52d02c7e14af7, 1.0000000000000001e+23",
        "444b1ae4d6e2ef4e, 999999999999999700000",
        "444b1ae4d6e2ef4f, 999999999999999900000",
        "444b1ae4d6e2ef50, 1e+21",
        "3eb0c6f7a0b5ed8c, 9.999999999999997e-7",
        "3eb0c6f7a0b5ed8d, 0.000001",
        "41b3de4355555553, 333333333.3333332",
        "41b3de4355555554, 333333333.33333325",
        "41b3de4355555555, 333333333.3333333",
        "41b3de4355555556, 333333333.3333334",
        "41b3de4355555557, 333333333.33333343",
        "becbf647612f3696, -0.0000033333333333333333",
        "43143ff3c1cb0959, 1424953923781206.2"
    })
    void numbers_are_written_as_ecmascript_writes_them(String bits, String expected) {
        assertThat(CanonicalJson.ecmaScript(Double.longBitsToDouble(Long.parseUnsignedLong(bits, 16))))
                .isEqualTo(expected);
    }

    @Test
    void equal_requests_are_equal_and_a_number_is_no_string() {
        assertThat(canonical("{\"a\":1,\"b\":[1.0,10e-1]}")).isEqualTo(canonical("{\"b\":[1,1.00],\"a\":1.0}"));
        assertThat(canonical("{\"a\":1}")).isNotEqualTo(canonical("{\"a\":\"1\"}"));
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("id", "1");
        map.put("amount", new BigDecimal("12.10"));
        assertThat(codec.canonical(new Order("1", new BigDecimal("12.1")))).isEqualTo(codec.canonical(map));
    }

    /** The one deviation: RFC 8785 would make these equal to their neighbours, and two amounts must never look alike. */
    @Test
    void amounts_that_no_double_tells_apart_are_told_apart() {
        assertThat(canonical("9007199254740993")).isEqualTo("9007199254740993");
        assertThat(canonical("9007199254740992")).isEqualTo("9007199254740992");
        assertThat(canonical("0.1000000000000000000001")).isNotEqualTo(canonical("0.1"));
        assertThat(canonical("123456789012345678.91")).isNotEqualTo(canonical("123456789012345678.92"));
    }

    @Test
    void values_are_stored_under_their_names() {
        Encoded encoded = codec.encode(new Order("1", new BigDecimal("2.50")));
        assertThat(encoded.type()).isEqualTo("order.v1");
        assertThat(codec.decode("order.v1", encoded.body(), Order.class))
                .isEqualTo(new Order("1", new BigDecimal("2.50")));
        assertThat(codec.decode("string", "x".getBytes(StandardCharsets.UTF_8), Object.class))
                .isEqualTo("x");
        assertThatThrownBy(() -> codec.encode(1L))
                .hasMessageContaining("java.lang.Long")
                .hasMessageContaining(".type(");
        assertThatThrownBy(() -> codec.decode("order.v2", encoded.body(), Order.class))
                .hasMessageContaining("order.v2");
        assertThatThrownBy(() -> codec.decode("order.v1", encoded.body(), String.class))
                .hasMessageContaining("asked for");
    }

    @Test
    void bytes_that_cannot_be_read_are_told_without_their_content() {
        byte[] secret = "{\"id\": \"4111 1111 1111 1111\", \"amount\": oops}".getBytes(StandardCharsets.UTF_8);
        assertThatThrownBy(() -> codec.decode("order.v1", secret, Order.class))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("order.v1")
                .hasMessageNotContaining("4111")
                .hasNoCause();
    }

    @Test
    void a_name_is_given_once() {
        assertThatThrownBy(() -> JsonCodec.builder().type("a", Order.class).type("a", String.class))
                .hasMessageContaining("twice");
        assertThatThrownBy(() -> JsonCodec.builder().type("a", Order.class).type("b", Order.class))
                .hasMessageContaining("two names");
        assertThatThrownBy(() -> JsonCodec.builder().type("bytes", Order.class)).hasMessageContaining("taken");
    }
}
