package dev.hapax.server;

import dev.hapax.server.command.Commands;

/** Where the launcher enters. */
public final class Main {
    private Main() {}

    /**
     * Runs one command and exits with its status: 0 done, 1 a problem was found, 2 the command line is wrong, 3 the database can't be reached.
     *
     * @param args the command and its options
     */
    public static void main(String[] args) {
        System.exit(Commands.commandLine(System.getenv()).execute(args));
    }
}
