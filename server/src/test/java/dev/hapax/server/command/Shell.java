package dev.hapax.server.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Types commands. Each runs as in a process of its own, and its output is kept apart. */
final class Shell {

    private static final JsonMapper JSON = new JsonMapper();

    private final Map<String, String> environment;

    private Shell(Map<String, String> environment) {
        this.environment = environment;
    }

    static Shell on(String jdbcUrl) {
        return new Shell(Map.of("HAPAX_URL", jdbcUrl));
    }

    static Shell bare() {
        return new Shell(Map.of());
    }

    Shell with(String name, String value) {
        Map<String, String> more = new HashMap<>(environment);
        more.put(name, value);
        return new Shell(more);
    }

    /** How a command ended. */
    record Ran(int status, String out, String err) {

        Ran endsWith(int expected) {
            assertThat(status).as("status; out: %s err: %s", out, err).isEqualTo(expected);
            return this;
        }

        JsonNode json() {
            return JSON.readTree(out);
        }

        List<String> lines() {
            return out.lines().toList();
        }
    }

    Ran run(String... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine commandLine = Commands.commandLine(environment);
        commandLine.setOut(new PrintWriter(out, true));
        commandLine.setErr(new PrintWriter(err, true));
        int status = commandLine.execute(args);
        return new Ran(status, out.toString(), err.toString());
    }

    /** Runs a command that must end well; returns what it printed. */
    String ok(String... args) {
        return run(args).endsWith(Commands.DONE).out();
    }
}
