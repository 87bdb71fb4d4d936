package dev.hapax.internal.consume;

import dev.hapax.consume.ConsumerBuilder;
import dev.hapax.consume.source.Source;
import dev.hapax.internal.Checks;
import dev.hapax.internal.SystemSource;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A consumer of a source without threads, for the testkit alone: it does what {@link SourceConsumer} does, by the same parts, when it is called. Used by one thread. */
public final class SteppedSource {

    private final String name;
    private final SourcePoller poller;
    private final List<SourceWorker> workers = new ArrayList<>();

    private SteppedSource(ConsumerSettings settings, Source source) {
        this.name = settings.name();
        ConsumerGround ground = settings.ground;
        String node = ground.shared().service() + "/" + SystemSource.INSTANCE.newUuidV7();
        SourceStore store = new SourceStore(name, node, source.groupId(name), settings.isDeduplicating());
        PositionStore members = new PositionStore(settings, node);
        this.poller = new SourcePoller(ground, settings, source, store, members, workers);
        SourceWorker worker = new SourceWorker(ground, settings, store, poller::retake, poller::room);
        worker.driveByHand();
        workers.add(worker);
    }

    /**
     * Takes the settings of a consumer that is not started, for one worker.
     *
     * @throws IllegalArgumentException if they are not Hapax's own, or have no source
     * @throws IllegalStateException if they are not complete
     */
    public static SteppedSource of(ConsumerBuilder builder) {
        if (!(builder instanceof ConsumerSettings settings)) {
            throw new IllegalArgumentException("not a consumer of Hapax: " + builder.getClass());
        }
        settings.check();
        Source source = settings.source;
        Checks.that(source != null, "%s reads the log; step it with SteppedConsumer", settings.name());
        return new SteppedSource(settings, java.util.Objects.requireNonNull(source));
    }

    public String name() {
        return name;
    }

    /**
     * Reads and handles what is there, until nothing is left or the time is over: as a rule because another process has the partitions.
     *
     * @return how many messages were handled
     */
    public int work(Duration atMost) throws SQLException {
        long deadline = SystemSource.INSTANCE.nanos() + atMost.toNanos();
        int done = 0;
        boolean second = true;
        do {
            poller.stepByHand(second);
            second = false;
            done += handle();
        } while (!poller.isAtTheEnd() && SystemSource.INSTANCE.nanos() - deadline < 0);
        // The broker is told, and numbers without records are passed.
        poller.stepByHand(true);
        return done + handle();
    }

    private int handle() throws SQLException {
        int done = 0;
        for (int now = workers.getFirst().stepByHand();
                now > 0;
                now = workers.getFirst().stepByHand()) {
            done += now;
        }
        return done;
    }

    /** Gives all back, and leaves the group. What fails is logged, as in production. */
    public void stop() {
        poller.end();
    }
}
