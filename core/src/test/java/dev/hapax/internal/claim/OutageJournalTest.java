package dev.hapax.internal.claim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.Key;
import dev.hapax.internal.claim.OutageJournal.Call;
import dev.hapax.internal.claim.OutageJournal.Entry;
import dev.hapax.internal.claim.OutageJournal.Limits;
import dev.hapax.spi.Encoded;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A file of calls. */
class OutageJournalTest {

    private static final String SCOPE = "payments.charge";

    @TempDir
    private Path folder;

    private OutageJournal open() throws IOException {
        return OutageJournal.open(folder, SCOPE);
    }

    private Path file() {
        return folder.resolve("claims-" + SCOPE + ".journal");
    }

    private static Call call(String id) {
        byte[] bytes = id.getBytes(StandardCharsets.UTF_8);
        return new Call(Key.of(SCOPE, id).producer("shop"), bytes, new Encoded("string", bytes));
    }

    private static Known done(String answer) {
        return Known.done(new Encoded("string", answer.getBytes(StandardCharsets.UTF_8)));
    }

    private static List<String> ids(OutageJournal journal) {
        return journal.entries().stream()
                .map(entry -> entry.call().key().id() + " " + entry.state())
                .toList();
    }

    @Test
    void what_was_noted_is_there_when_it_is_opened_again() throws IOException {
        try (OutageJournal journal = open()) {
            UUID first = journal.called(call("a"));
            journal.called(call("b"));
            journal.ended(first, done("ch_1"));
        }
        try (OutageJournal journal = open()) {
            assertThat(ids(journal)).containsExactly("a SETTLED", "b IN_DOUBT");
            for (Entry entry : journal.entries()) {
                journal.folded(entry.id());
            }
            assertThat(journal.isEmpty()).isTrue();
            assertThat(Files.size(file())).isZero();
        }
    }

    @Test
    void the_last_call_of_a_key_is_found_until_it_is_folded_in() throws IOException {
        Key key = call("a").key();
        try (OutageJournal journal = open()) {
            UUID first = journal.called(call("a"));
            UUID second = journal.called(call("a"));
            journal.called(call("b"));
            assertThat(journal.last(key)).map(Entry::id).hasValue(second);
            journal.folded(second);
            assertThat(journal.last(key)).map(Entry::id).hasValue(first);
            journal.folded(first);
            assertThat(journal.last(key)).isEmpty();
            assertThat(journal.last(call("b").key())).isPresent();
        }
    }

    @Test
    void an_interrupted_thread_writes_and_leaves_the_file_open() throws IOException {
        try (OutageJournal journal = open()) {
            Thread.currentThread().interrupt();
            UUID first = journal.called(call("a"));
            journal.ended(first, done("ch_1"));
            assertThat(Thread.interrupted()).isTrue();
            journal.called(call("b"));
            assertThat(ids(journal)).containsExactly("a SETTLED", "b IN_DOUBT");
        }
        try (OutageJournal journal = open()) {
            assertThat(ids(journal)).containsExactly("a SETTLED", "b IN_DOUBT");
        }
    }

    @Test
    void it_is_full_by_calls_and_by_bytes_and_has_room_again_when_they_are_folded_in() throws IOException {
        for (Limits limits : List.of(new Limits(2, Long.MAX_VALUE), new Limits(Integer.MAX_VALUE, 120))) {
            try (OutageJournal journal = OutageJournal.open(folder, SCOPE, limits)) {
                UUID first = journal.called(call("a"));
                assertThat(journal.isFull()).isFalse();
                UUID second = journal.called(call("b"));
                assertThat(journal.isFull()).isTrue();
                journal.ended(first, done("ch_1"));
                journal.folded(first);
                journal.folded(second);
                assertThat(journal.isFull()).isFalse();
            }
        }
    }

    @Test
    void what_lies_behind_a_damaged_record_is_set_aside_and_not_thrown_away() throws IOException {
        long good;
        try (OutageJournal journal = open()) {
            journal.called(call("a"));
            good = Files.size(file());
            journal.called(call("b"));
            journal.called(call("c"));
        }
        byte[] whole = Files.readAllBytes(file());
        whole[(int) good + 12] ^= 1;
        Files.write(file(), whole);
        try (OutageJournal journal = open()) {
            assertThat(ids(journal)).containsExactly("a IN_DOUBT");
            assertThat(Files.size(file())).isEqualTo(good);
            journal.called(call("d"));
        }
        try (Stream<Path> files = Files.list(folder)) {
            Path aside = files.filter(path -> path.toString().contains(".journal.cut-"))
                    .findFirst()
                    .orElseThrow();
            byte[] rest = java.util.Arrays.copyOfRange(whole, (int) good, whole.length);
            assertThat(Files.readAllBytes(aside)).isEqualTo(rest);
        }
        try (OutageJournal journal = open()) {
            assertThat(ids(journal)).containsExactly("a IN_DOUBT", "d IN_DOUBT");
        }
    }
}
