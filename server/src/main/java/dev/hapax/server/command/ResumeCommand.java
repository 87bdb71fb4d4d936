package dev.hapax.server.command;

import dev.hapax.Hapax;
import dev.hapax.control.Control.Kind;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Resumes. */
@Command(
        name = "resume",
        description = "Lets a paused scope or consumer go on, in all processes, within a second.",
        subcommands = {ResumeCommand.OfScope.class, ResumeCommand.OfConsumer.class},
        footer = {"", "Example:", "  ./hapax resume consumer billing"})
final class ResumeCommand {

    private ResumeCommand() {}

    /** Resumes one of a kind. */
    abstract static class Resume extends DatabaseCommand {

        final int resume(Kind kind, String name) {
            String what = kind.name().toLowerCase(Locale.ROOT) + " " + name;
            try (Hapax hapax = database().open()) {
                if (!hapax.control().resume(kind, name)) {
                    throw new Problem(what + " was not paused; ./hapax pause list shows what is");
                }
            }
            out().println(what + " is resumed");
            return Commands.DONE;
        }
    }

    /** Resumes a scope. */
    @Command(
            name = "scope",
            description = "Resumes a scope. Exit status 1 if it was not paused.",
            footer = {"", "Example:", "  ./hapax resume scope payments.charge"})
    static final class OfScope extends Resume {

        @Parameters(paramLabel = "NAME", description = "The scope.")
        private String name = "";

        @Override
        public Integer call() {
            return resume(Kind.SCOPE, name);
        }
    }

    /** Resumes a consumer. */
    @Command(
            name = "consumer",
            description = "Resumes a consumer, where it stopped. Exit status 1 if it was not paused.",
            footer = {"", "Example:", "  ./hapax resume consumer billing"})
    static final class OfConsumer extends Resume {

        @Parameters(paramLabel = "NAME", description = "The consumer.")
        private String name = "";

        @Override
        public Integer call() {
            return resume(Kind.CONSUMER, name);
        }
    }
}
