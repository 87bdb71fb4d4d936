package dev.hapax.claim;

import java.io.IOException;
import java.net.ConnectException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Another system, which counts what it does. Safe for use by many threads. */
final class Bank {

    /** What goes wrong with one call. */
    enum Trouble {
        /** Nothing. */
        NONE,
        /** It charges, and its reply is lost. */
        REPLY_LOST,
        /** The call is lost on its way. */
        CALL_LOST,
        /** It can't be reached, and the caller knows. */
        UNREACHABLE,
        /** It says no, for good. */
        DECLINES,
        /** It can't be asked. */
        SILENT
    }

    private final boolean idempotent;
    private final Map<String, List<String>> charges = new HashMap<>();
    private final Deque<Trouble> calls = new ArrayDeque<>();
    private final Deque<Trouble> questions = new ArrayDeque<>();
    final List<String> log = new ArrayList<>();

    Bank(boolean idempotent) {
        this.idempotent = idempotent;
    }

    synchronized Bank next(Trouble... troubles) {
        calls.addAll(List.of(troubles));
        return this;
    }

    synchronized Bank nextQuestion(Trouble... troubles) {
        questions.addAll(List.of(troubles));
        return this;
    }

    synchronized String charge(Call call) throws IOException {
        String key = call.idempotencyKey();
        log.add("call " + call.attempt());
        Trouble trouble = calls.isEmpty() ? Trouble.NONE : calls.poll();
        switch (trouble) {
            case DECLINES -> throw new ClaimRefusedException("card declined");
            case UNREACHABLE -> throw new ConnectException("connection refused");
            case CALL_LOST -> throw new IOException("time-out");
            default -> {
                List<String> done = charges.computeIfAbsent(key, k -> new ArrayList<>());
                if (!idempotent || done.isEmpty()) {
                    done.add("charge-" + (done.size() + 1) + "-" + key.substring(0, 8));
                }
                if (trouble == Trouble.REPLY_LOST) {
                    throw new IOException("connection reset");
                }
                return done.getLast();
            }
        }
    }

    synchronized Probe<String> find(Call call) throws IOException {
        log.add("question");
        Trouble trouble = questions.isEmpty() ? Trouble.NONE : questions.poll();
        if (trouble == Trouble.SILENT) {
            throw new IOException("503");
        }
        List<String> done = charges.getOrDefault(call.idempotencyKey(), List.of());
        return done.isEmpty() ? Probe.notDone() : Probe.done(done.getFirst());
    }

    synchronized int charges() {
        return charges.values().stream().mapToInt(List::size).sum();
    }

    synchronized List<String> log() {
        return List.copyOf(log);
    }
}
