package dev.hapax.server.command;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** A command on a database. Returns its exit status. */
abstract class DatabaseCommand implements Callable<Integer> {

    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @ArgGroup(exclusive = false, order = 10, heading = "%nThe database:%n")
    private DatabaseOptions options = new DatabaseOptions();

    final Database database() {
        return options.database(spec);
    }

    final PrintWriter out() {
        return spec.commandLine().getOut();
    }

    final PrintWriter err() {
        return spec.commandLine().getErr();
    }

    /** The command line is wrong, in a way that only shows when all of it is read. */
    final ParameterException misuse(String words) {
        return new ParameterException(spec.commandLine(), words);
    }
}
