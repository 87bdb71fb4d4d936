package dev.hapax.examples;

import java.io.PrintWriter;
import java.io.StringWriter;

/**
 * A command that has run in this JVM.
 *
 * @param status its exit status
 */
record CommandRun(int status, String out, String err) {
    static CommandRun of(String... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int status = Main.run(new PrintWriter(out, true), new PrintWriter(err, true), args);
        return new CommandRun(status, out.toString(), err.toString());
    }
}
