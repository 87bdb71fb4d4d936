package dev.hapax.examples.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ProgressTest {
    private static final int SECONDS = 10;

    @Test
    void the_client_goes_up_to_the_kill_after_the_next_one() throws Exception {
        Progress progress = new Progress(new int[] {1, 3}, 5);
        progress.awaitTurn(2);
        CompletableFuture<Void> next = later(() -> progress.awaitTurn(3));
        assertThat(next).isNotDone();

        progress.killDone();

        next.get(SECONDS, TimeUnit.SECONDS);
    }

    @Test
    void the_last_line_waits_for_the_last_kill() throws Exception {
        Progress progress = new Progress(new int[] {1}, 5);
        progress.awaitTurn(3);
        CompletableFuture<Void> last = later(() -> progress.awaitTurn(4));
        CompletableFuture<Void> kill = later(() -> progress.awaitKillPoint(0));
        assertThat(last).isNotDone();
        assertThat(kill).isNotDone();

        progress.lineAnswered();
        kill.get(SECONDS, TimeUnit.SECONDS);
        progress.killDone();

        last.get(SECONDS, TimeUnit.SECONDS);
    }

    @Test
    void a_failure_wakes_all_who_wait() {
        Progress progress = new Progress(new int[] {1}, 5);
        CompletableFuture<Void> last = later(() -> progress.awaitTurn(4));

        progress.fail(new RunException("no more", null));

        assertThatThrownBy(() -> last.get(SECONDS, TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class)
                .hasRootCauseMessage("no more");
        assertThatThrownBy(progress::check).hasMessage("no more");
    }

    private interface Wait {
        void run() throws InterruptedException;
    }

    private static CompletableFuture<Void> later(Wait wait) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        Thread.ofVirtual().start(() -> {
            try {
                wait.run();
                done.complete(null);
            } catch (InterruptedException | RuntimeException failure) {
                done.completeExceptionally(failure);
            }
        });
        return done;
    }
}
