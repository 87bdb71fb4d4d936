package dev.hapax.server;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The commands of operators. */
@Command(name = "hapax", description = "The commands of operators.", mixinStandardHelpOptions = true)
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
