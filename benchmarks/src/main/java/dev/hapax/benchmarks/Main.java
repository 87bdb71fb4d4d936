package dev.hapax.benchmarks;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The benchmarks. */
@Command(name = "hapax", description = "The benchmarks.", mixinStandardHelpOptions = true)
public final class Main implements Runnable {
    private Main() {}

    /**
     * Runs one command and exits with its status.
     *
     * @param args the command and its options
     */
    public static void main(String[] args) {
        System.exit(new CommandLine(new Main()).execute(args));
    }

    @Override
    public void run() {
        CommandLine.usage(this, System.out);
    }
}
