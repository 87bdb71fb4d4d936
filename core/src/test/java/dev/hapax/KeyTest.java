package dev.hapax;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hapax.internal.ChildIds;
import java.time.Instant;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KeyTest {

    @Test
    void a_uuid_v7_gives_its_time_and_other_uuids_do_not() {
        // The example of RFC 9562, appendix A.6.
        assertThat(Key.of("s", "017F22E2-79B0-7CC3-98C4-DC0C0C07398F").time())
                .contains(Instant.parse("2022-02-22T19:22:22.000Z"));
        assertThat(Key.of("s", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f").time())
                .contains(Instant.parse("2022-02-22T19:22:22.000Z"));
        assertThat(Key.of("s", "919108f7-52d1-4320-9bac-f847db4148a8").time()).isEmpty();
        assertThat(Key.of("s", "017f22e2-79b0-7cc3-18c4-dc0c0c07398f").time())
                .as("another variant")
                .isEmpty();
        assertThat(Key.of("s", "00000000-0000-7000-8000-000000000000").time())
                .as("1970 is no time of a key")
                .isEmpty();
    }

    @Test
    void a_ulid_gives_its_time() {
        // The example of the ULID specification.
        assertThat(Key.of("s", "01ARZ3NDEKTSV4RRFFQ69G5FAV").time()).contains(Instant.ofEpochMilli(1469922850259L));
        assertThat(Key.of("s", "01arz3ndektsv4rrffq69g5fav").time()).contains(Instant.ofEpochMilli(1469922850259L));
        assertThat(Key.of("s", "81ARZ3NDEKTSV4RRFFQ69G5FAV").time())
                .as("over 128 bits")
                .isEmpty();
        assertThat(Key.of("s", "01ARZ3NDEKTSV4RRFFQ69G5FAU").time())
                .as("U is not in the alphabet")
                .isEmpty();
    }

    @Test
    void a_generated_key_carries_the_time_of_its_making_and_is_new() {
        Set<Key> keys = new HashSet<>();
        Instant before = Instant.now().minusMillis(1);
        for (int i = 0; i < 10_000; i++) {
            keys.add(Key.generate("s"));
        }
        assertThat(keys).hasSize(10_000).allSatisfy(key -> {
            assertThat(key.time().orElseThrow()).isBetween(before, Instant.now());
            assertThat(UUID.fromString(key.id()).version()).isEqualTo(7);
            assertThat(UUID.fromString(key.id()).variant()).isEqualTo(2);
        });
    }

    @Test
    void a_time_that_is_given_is_kept_to_the_millisecond_and_must_not_contradict_the_id() {
        Instant time = Instant.parse("2026-01-02T03:04:05.678999Z");
        assertThat(Key.of("s", "a").at(time).time()).contains(Instant.parse("2026-01-02T03:04:05.678Z"));
        Key own = Key.of("s", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
        assertThat(own.at(own.time().orElseThrow())).isEqualTo(own);
        assertThatThrownBy(() -> own.at(time))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("2022-02-22");
        assertThatThrownBy(() -> Key.of("s", "a").at(Instant.MIN)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Key.of("s", "a").at(Instant.MAX)).isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a\u0000b", "line\nbreak", "\u0085", "\ud800", "a\udc00b"})
    void an_id_outside_its_limits_is_refused_with_the_limit_and_the_value(String id) {
        assertThatThrownBy(() -> Key.of("s", id))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("id must");
    }

    @Test
    void lengths_are_counted_in_characters() {
        assertThat(Key.of("s", "x".repeat(200)).id()).hasSize(200);
        assertThat(Key.of("s", "\uD83D\uDE00".repeat(200)).id()).hasSize(400);
        assertThatThrownBy(() -> Key.of("s", "x".repeat(201)))
                .hasMessage("id must be 1 to 200 characters long; it has 201: \"" + "x".repeat(60) + "…\"");
        assertThatThrownBy(() -> Key.of("bad scope", "x")).hasMessageContaining("\"bad scope\"");
        assertThatThrownBy(() -> Key.of("s".repeat(101), "x")).hasMessageContaining("101");
        assertThatThrownBy(() -> Key.of("s", "x").producer("a\nb")).hasMessageContaining("a\\u000Ab");
    }

    @Test
    void a_child_is_the_same_everywhere_and_carries_its_parents_time() {
        Key parent = Key.of("orders", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f").producer("shop");
        Key child = parent.child("message/1");
        assertThat(child).isEqualTo(parent.child("message/1"));
        assertThat(child.time()).isEqualTo(parent.time());
        assertThat(Key.of("orders", child.id()).time()).as("from the id alone").isEqualTo(parent.time());
        // Recorded: a later version that derives another id would publish an old operation's messages under new ids.
        assertThat(ChildIds.own(parent, "message/1")).hasToString(RECORDED);
        assertThat(ChildIds.ownKey(parent, "message/1").time()).isEqualTo(parent.time());
        assertThat(child.id()).isEqualTo(RECORDED_OF_CALLERS);
        assertThat(UUID.fromString(Key.of("orders", "a").child("b").id()).version())
                .isEqualTo(8);
        assertThat(Key.of("orders", "a").child("b").time()).isEmpty();
    }

    @Test
    void a_child_has_the_same_id_whether_or_not_its_parent_names_the_producer() {
        Key parent = Key.of("orders", "a");
        Key named = parent.producer("shop");
        assertThat(parent.child("ship").producer("shop")).isEqualTo(named.child("ship"));
        assertThat(parent.child("ship").child("label").producer("shop"))
                .isEqualTo(named.child("ship").child("label"));
        assertThat(named.child("ship")).isNotEqualTo(parent.producer("web").child("ship"));
        assertThat(ChildIds.own(named, "ship")).isNotEqualTo(ChildIds.own(parent.producer("web"), "ship"));
    }

    private static final String RECORDED_OF_CALLERS = "017f22e2-79b0-7367-b980-1cc824148c6a";
    private static final String RECORDED = "017f22e2-79b0-7bd3-939f-685150d5d540";

    @Test
    void children_of_different_parents_or_names_differ() {
        Random random = new Random(42);
        Set<UUID> ids = new HashSet<>();
        Set<String> inputs = new HashSet<>();
        Instant time = Instant.parse("2026-01-01T00:00:00Z");
        for (int i = 0; i < 20_000; i++) {
            // Short alphabets make inputs that differ only in where one part ends and the next begins.
            String id = text(random);
            String name = text(random);
            String producer = text(random);
            if (inputs.add(id + "|" + name + "|" + producer)) {
                assertThat(ids.add(ChildIds.own(Key.of("s", id).at(time).producer(producer), name)))
                        .as("%s %s %s", id, name, producer)
                        .isTrue();
            }
        }
        assertThat(ids).hasSizeGreaterThan(1_000);
    }

    private static String text(Random random) {
        return "ab".repeat(2).substring(random.nextInt(2), 2 + random.nextInt(2))
                + (random.nextBoolean() ? "a" : "")
                + random.nextInt(10);
    }
}
