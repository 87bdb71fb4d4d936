package dev.hapax.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hapax.internal.consume.LaneMark;
import dev.hapax.internal.consume.LaneMark.Point;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class MarkCodecTest {

    private static final UUID ID = UUID.fromString("0198c0de-0000-7000-8000-000000000001");
    private static final UUID OLDER = UUID.fromString("0198c0de-0000-7000-8000-000000000002");

    @Test
    void a_position_is_read_as_it_was_written() {
        LaneMark mark = new LaneMark(
                3,
                41,
                "{[43,44),[46,48)}",
                new Point(47, ID, Instant.ofEpochMilli(1_760_000_000_123L)),
                List.of(new Point(41, OLDER, Instant.ofEpochMilli(1_760_000_000_000L))));
        assertThat(MarkCodec.decode(3, MarkCodec.encode(mark))).isEqualTo(mark);
        LaneMark empty = new LaneMark(0, 0, "{}", null, List.of());
        assertThat(MarkCodec.decode(0, MarkCodec.encode(empty))).isEqualTo(empty);
    }

    @Test
    void positions_of_earlier_releases_are_read() {
        LaneMark mark = MarkCodec.decode(
                5,
                ("1 low=41 done={[43,44)} anchor=43/" + ID + "/1760000000123 trail=41/" + OLDER + "/1760000000000")
                        .getBytes(StandardCharsets.UTF_8));
        assertThat(mark.low()).isEqualTo(41);
        assertThat(mark.high()).isEqualTo(43);
        assertThat(mark.anchor()).isEqualTo(new Point(43, ID, Instant.ofEpochMilli(1_760_000_000_123L)));
        assertThat(mark.trail()).hasSize(1);
    }

    @Test
    void what_is_no_position_is_refused_in_words() {
        assertThatThrownBy(() -> MarkCodec.decode(1, "2 what=ever".getBytes(StandardCharsets.UTF_8)))
                .hasMessageContaining("later release");
        assertThatThrownBy(() -> MarkCodec.decode(1, "1 low=x".getBytes(StandardCharsets.UTF_8)))
                .hasMessageContaining("can't be read");
    }
}
