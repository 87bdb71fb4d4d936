package dev.hapax.examples.proof;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code ./hapax proof}. */
@Command(
        name = "proof",
        description = {
            "Proves Hapax on this machine: runs its scenarios over a real PostgreSQL, with a fault at each durable boundary, and counts the rows.",
            ""
        },
        subcommands = {CrashPointsCommand.class, MutantsCommand.class, PageCommand.class})
public final class ProofCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "show this page")
    @SuppressWarnings("UnusedVariable") // picocli acts on it
    private boolean help;

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    /** What goes wrong here goes wrong on purpose, thousands of times: only what is found is worth a line. */
    static void keepLogsQuiet() {
        System.setProperty("org.slf4j.simpleLogger.log.dev.hapax", "off");
        System.setProperty("org.slf4j.simpleLogger.log.org.postgresql", "off");
    }
}
