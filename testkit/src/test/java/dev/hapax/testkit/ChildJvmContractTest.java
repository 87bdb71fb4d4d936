package dev.hapax.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.Scanner;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;

class ChildJvmContractTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @Test
    void runs_on_this_class_path_and_is_heard() throws Exception {
        try (ChildJvm child = echo().start()) {
            assertThat(child.awaitLine("ready", PATIENCE)).matches("ready with at most 6[0-4] MiB");
            child.send("hello");
            child.awaitLine("heard hello", PATIENCE);
            child.send("exit");
            assertThat(child.awaitExit(PATIENCE)).isEqualTo(3);
            assertThat(child.lines()).contains("heard hello");
        }
    }

    @Test
    void dies_at_once_when_killed() throws Exception {
        try (ChildJvm child = echo().start()) {
            child.awaitLine("ready", PATIENCE);
            child.kill9();
            assertThat(child.isAlive()).isFalse();
            assertThat(child.awaitExit(PATIENCE)).isEqualTo(128 + 9);
        }
    }

    @Test
    void says_nothing_while_stopped_and_goes_on_when_woken() throws Exception {
        try (ChildJvm child = echo().start()) {
            child.awaitLine("ready", PATIENCE);
            child.sigstop();
            child.send("late");
            assertThatThrownBy(() -> child.awaitLine("heard late", Duration.ofMillis(300)))
                    .isInstanceOf(TimeoutException.class)
                    .hasMessageContaining("did not print within PT0.3S");
            child.sigcont();
            child.awaitLine("heard late", PATIENCE);
        }
    }

    @Test
    void is_killed_on_close_even_when_stopped() throws Exception {
        ChildJvm child = echo().start();
        child.awaitLine("ready", PATIENCE);
        child.sigstop();
        child.close();
        assertThat(child.isAlive()).isFalse();
    }

    @Test
    void a_wait_ends_with_the_child_and_shows_what_it_said() throws Exception {
        try (ChildJvm child = echo().start()) {
            child.send("exit");
            assertThatThrownBy(() -> child.awaitLine("never", PATIENCE))
                    .isInstanceOf(TimeoutException.class)
                    .hasMessageContaining("ready with at most ");
        }
    }

    @Test
    void a_wait_can_pass_over_what_was_said_before() throws Exception {
        try (ChildJvm child = echo().start()) {
            child.send("a");
            child.awaitLine("heard a", PATIENCE);
            long before = child.lineCount();
            child.send("a");
            assertThat(child.awaitLineAfter(before, line -> line.equals("heard a"), PATIENCE))
                    .isEqualTo("heard a");
            assertThat(child.lineCount()).isEqualTo(before + 1);
        }
    }

    @Test
    void no_child_outlives_a_parent_that_ends_or_is_killed() throws Exception {
        for (String way : new String[] {"exit", "kill", "kill while it is stopped"}) {
            try (ChildJvm parent = ChildJvm.of(Parent.class).start()) {
                String line = parent.awaitLine("grandchild ", PATIENCE);
                long grandchild = Long.parseLong(line.substring("grandchild ".length()));
                if (way.equals("kill while it is stopped")) {
                    parent.send("stop");
                    parent.awaitLine("stopped", PATIENCE);
                }
                if (way.equals("exit")) {
                    parent.send("exit");
                } else {
                    parent.kill9();
                }
                await().atMost(PATIENCE)
                        .until(() -> ProcessHandle.of(grandchild)
                                .filter(ProcessHandle::isAlive)
                                .isEmpty());
            }
        }
    }

    private static ChildJvm.Builder echo() {
        return ChildJvm.of(Echo.class).heap(64);
    }

    /** Repeats what it hears. */
    static final class Echo {
        public static void main(String[] args) {
            System.out.println("ready with at most " + Runtime.getRuntime().maxMemory() / 1024 / 1024 + " MiB");
            try (Scanner input = new Scanner(System.in, UTF_8)) {
                while (input.hasNextLine()) {
                    String line = input.nextLine();
                    if (line.equals("exit")) {
                        System.exit(3);
                    }
                    System.out.println("heard " + line);
                }
            }
        }
    }

    /** Has a child of its own. */
    static final class Parent {
        public static void main(String[] args) throws Exception {
            ChildJvm child = ChildJvm.of(Orphan.class).start();
            child.awaitLine("ready", PATIENCE);
            System.out.println("grandchild " + child.pid());
            try (Scanner input = new Scanner(System.in, UTF_8)) {
                if (input.nextLine().equals("stop")) {
                    child.sigstop();
                    System.out.println("stopped");
                    input.nextLine();
                }
            }
            System.exit(0);
        }
    }

    /** Ends only with its parent. */
    static final class Orphan {
        public static void main(String[] args) throws InterruptedException {
            ChildJvm.endWithParent();
            System.out.println("ready");
            Thread.currentThread().join();
        }
    }
}
