package dev.hapax.benchmarks;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.sql.SQLException;

/** CPU time of this process and of all processes of a lab's server, as Linux counts it. Zero elsewhere. */
final class CpuTime {

    private final long postmaster;

    CpuTime(Lab lab) throws SQLException {
        long backend = lab.number("SELECT pg_backend_pid()");
        postmaster = ProcessHandle.of(backend)
                .flatMap(ProcessHandle::parent)
                .map(ProcessHandle::pid)
                .orElse(0L);
    }

    long nanos() throws IOException {
        long nanos = ofProcess(ProcessHandle.current().pid());
        ProcessHandle server = ProcessHandle.of(postmaster).orElse(null);
        if (server != null) {
            for (ProcessHandle child : server.children().toList()) {
                nanos += ofProcess(child.pid());
            }
        }
        return nanos;
    }

    /** All threads of a process; 0 if it has ended, or this is no Linux. */
    static long ofProcess(long pid) throws IOException {
        long nanos = 0;
        try (DirectoryStream<Path> threads = Files.newDirectoryStream(Path.of("/proc", Long.toString(pid), "task"))) {
            for (Path thread : threads) {
                nanos += ofThread(thread.resolve("schedstat"));
            }
        } catch (NoSuchFileException ended) {
            return nanos;
        }
        return nanos;
    }

    private static long ofThread(Path schedstat) {
        try {
            String text = Files.readString(schedstat);
            return Long.parseLong(text.substring(0, text.indexOf(' ')));
        } catch (IOException ended) {
            // Before it was opened, or between that and the read, which fails with "no such process".
            return 0;
        }
    }
}
