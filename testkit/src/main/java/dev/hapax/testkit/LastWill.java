package dev.hapax.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is to be done if this JVM is killed, and can do nothing any more. A shell waits at the end of a pipe whose other end is this JVM's: when the pipe ends before it has said that all is done, the JVM is gone,
 * however it went, and the shell does it.
 *
 * <p>Thread-safe.
 */
final class LastWill implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LastWill.class);

    /** A session of its own, where there is a program for it: who kills all of this JVM's group, or types Ctrl-C, means not the shell. */
    static final String APART = """
            if command -v setsid >/dev/null 2>&1; then exec setsid sh -c "$@"; else exec sh -c "$@"; fi""";

    private static final String WAIT = """
            trap '' INT TERM HUP
            about=
            while read -r word value; do
              case $word in done) exit 0 ;; about) about=$value ;; esac
            done
            """;

    /** Wakes a process that was stopped: a stopped one can't see that its parent is gone. */
    private static final String WAKE = WAIT + """
            kill -CONT "$1" 2>/dev/null
            """;

    /**
     * Stops the server on a directory as its owner would have; the directory goes with it, unless it is to be kept. A server that it has not been told of is not stopped on a directory that is
     * kept: it may be the next owner's.
     */
    private static final String STOP_SERVER = WAIT + """
            pid=$about
            if [ -z "$pid" ] && [ "$2" = temporary ]; then pid=$(head -n 1 "$1/postgresql/postmaster.pid" 2>/dev/null); fi
            case $pid in *[!0-9]*) pid= ;; esac
            if [ -n "$pid" ] && [ -r "/proc/$pid/cmdline" ]; then
              tr '\\0' '\\n' <"/proc/$pid/cmdline" | grep -qxF "$1/postgresql" || pid=
            fi
            if [ -n "$pid" ]; then
              kill -INT "$pid" 2>/dev/null
              looks=0
              while kill -0 "$pid" 2>/dev/null && ! grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null; do
                looks=$((looks + 1))
                if [ "$looks" -eq 300 ]; then kill -KILL "$pid" 2>/dev/null; fi
                if [ "$looks" -eq 400 ]; then exit 1; fi
                sleep 0.1
              done
            fi
            if [ "$2" = temporary ]; then rm -rf "$1"; fi
            """;

    private final Process shell;

    private LastWill(String script, String... arguments) {
        List<String> command = new ArrayList<>(List.of("sh", "-c", APART, "hapax-testkit", script, "hapax-testkit"));
        command.addAll(List.of(arguments));
        try {
            shell = new ProcessBuilder(command)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
        } catch (IOException failure) {
            throw new UncheckedIOException("could not start a shell", failure);
        }
    }

    /** Wakes the process, which is about to be stopped. */
    static LastWill wake(long pid) {
        return new LastWill(WAKE, Long.toString(pid));
    }

    /** Stops the server whose data lies below the directory. */
    static LastWill stopServer(Path root, boolean kept) {
        return new LastWill(STOP_SERVER, root.toString(), kept ? "kept" : "temporary");
    }

    /** Which process it is about from now on. */
    void about(long pid) {
        say("about " + pid);
    }

    /** Nothing is to be done any more: it has been done. */
    @Override
    public void close() {
        say("done");
    }

    private void say(String line) {
        try {
            shell.getOutputStream().write((line + "\n").getBytes(StandardCharsets.US_ASCII));
            shell.getOutputStream().flush();
        } catch (IOException gone) {
            LOG.debug("the shell of a last will has ended", gone);
        }
    }
}
