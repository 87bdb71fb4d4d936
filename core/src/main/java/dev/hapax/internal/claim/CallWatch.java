package dev.hapax.internal.claim;

import dev.hapax.claim.CallPolicy;
import dev.hapax.internal.SystemSource;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The thread that interrupts calls whose time is over. It does nothing else: one that also spoke to our own database would wait for that, and let calls of other systems run for as long. It starts with the first call. Safe for
 * use by many threads.
 */
final class CallWatch implements AutoCloseable {

    private static final long LOOK_MILLIS = 100;

    private final ScheduledExecutorService thread;
    private final AtomicBoolean started = new AtomicBoolean();
    private final Set<TimedCall> running = ConcurrentHashMap.newKeySet();

    CallWatch(String service) {
        this.thread = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name("hapax-calls-" + service).factory());
    }

    /** Code of the caller's. */
    @FunctionalInterface
    interface Code<V> {
        V run() throws Exception;
    }

    /** Runs the caller's code for as long as it may take. An interrupt that wasn't the watch's is the caller's own, and is passed on. */
    <V> V timed(TimedCall call, CallPolicy policy, Code<V> code) throws Exception {
        if (!started.get() && started.compareAndSet(false, true)) {
            thread.scheduleWithFixedDelay(this::look, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
        }
        call.begins(policy.callWithin());
        running.add(call);
        try {
            return code.run();
        } catch (InterruptedException e) {
            if (!call.isCut()) {
                Thread.currentThread().interrupt();
            }
            throw e;
        } finally {
            running.remove(call);
            call.ends();
        }
    }

    /** What a failure is called. */
    static String words(TimedCall call, CallPolicy policy, Exception failure) {
        return (call.isCut() ? "interrupted after " + policy.callWithin() + ": " : "") + failure;
    }

    private void look() {
        long now = SystemSource.INSTANCE.nanos();
        running.forEach(call -> call.look(now));
    }

    /** Calls that go on are not interrupted any more. */
    @Override
    public void close() {
        thread.shutdownNow();
    }
}
