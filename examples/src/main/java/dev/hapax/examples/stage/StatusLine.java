package dev.hapax.examples.stage;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Shows every moment how far the run is, in a thread of its own, until it is closed. */
public final class StatusLine implements AutoCloseable {
    private static final long WINDOW_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final Screen screen;
    private final Tally tally;
    private final Progress progress;
    private final Supplier<String> state;
    private final long startNanos = System.nanoTime();
    private final Deque<Sample> window = new ArrayDeque<>();
    private final CountDownLatch end = new CountDownLatch(1);
    private final Thread thread = Thread.ofPlatform().daemon().name("status").unstarted(this::show);

    /**
     * Begins to show.
     *
     * @param screen where
     * @param tally what the client sees
     * @param progress how far it is
     * @param state what else there is to say, in a few words
     */
    public StatusLine(Screen screen, Tally tally, Progress progress, Supplier<String> state) {
        this.screen = screen;
        this.tally = tally;
        this.progress = progress;
        this.state = state;
        window.add(new Sample(startNanos, 0));
        thread.start();
    }

    private record Sample(long nanos, int answered) {}

    private void show() {
        try {
            while (!end.await(screen.statusPause().toMillis(), TimeUnit.MILLISECONDS)) {
                screen.status(text());
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private String text() {
        long now = System.nanoTime();
        int answered = progress.answered();
        while (window.size() > 1 && now - window.getFirst().nanos() > WINDOW_NANOS) {
            window.removeFirst();
        }
        Sample from = window.getFirst();
        window.addLast(new Sample(now, answered));
        double perSecond = (answered - from.answered()) * 1e9 / Math.max(1, now - from.nanos());
        return String.format(
                Locale.ROOT,
                "%.0f s  sent %,d  repeated %,d  applied %,d  replayed %,d  %s  %,.0f/s",
                (now - startNanos) / 1e9,
                tally.sent(),
                tally.repeats(),
                tally.applied(),
                tally.replayed(),
                state.get(),
                perSecond);
    }

    /** Shows how it stands in the end, and no more. */
    @Override
    public void close() {
        end.countDown();
        try {
            thread.join();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        screen.line(text());
    }
}
