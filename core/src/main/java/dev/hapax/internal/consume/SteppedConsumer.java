package dev.hapax.internal.consume;

import dev.hapax.consume.ConsumerBuilder;
import dev.hapax.internal.Checks;
import dev.hapax.internal.SystemSource;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * A consumer without threads, for the testkit alone: its rounds are called by hand, so that a seed can own their order. It does what {@link LogConsumer} does, by the same parts. Used by one
 * thread.
 */
public final class SteppedConsumer {

    private final ConsumerSettings settings;
    private final ConsumerGround ground;
    private final List<LaneWorker> workers = new ArrayList<>();
    private final LeaseKeeper leases;

    private SteppedConsumer(ConsumerSettings settings, int count) {
        this.settings = settings;
        this.ground = settings.ground;
        String node = ground.shared().service() + "/" + SystemSource.INSTANCE.newUuidV7();
        PositionStore positions = new PositionStore(settings, node);
        ConcurrentLinkedQueue<Short> released = new ConcurrentLinkedQueue<>();
        for (int i = 0; i < count; i++) {
            workers.add(new LaneWorker(ground, settings, positions, released));
        }
        this.leases = new LeaseKeeper(ground, settings, positions, List.copyOf(workers), released);
    }

    /**
     * Takes the settings of a consumer that is not started, for one worker.
     *
     * @throws IllegalArgumentException if they are not Hapax's own
     * @throws IllegalStateException if they are not complete
     */
    public static SteppedConsumer of(ConsumerBuilder builder) {
        return of(builder, 1);
    }

    /**
     * As {@link #of(ConsumerBuilder)}, with so many workers.
     *
     * @throws IllegalArgumentException if they are not Hapax's own
     * @throws IllegalStateException if they are not complete
     */
    public static SteppedConsumer of(ConsumerBuilder builder, int workers) {
        if (!(builder instanceof ConsumerSettings settings)) {
            throw new IllegalArgumentException("not a consumer of Hapax: " + builder.getClass());
        }
        settings.check();
        Checks.that(settings.source == null, "%s reads from a broker, whose threads can't be stepped", settings.name());
        return new SteppedConsumer(settings, workers);
    }

    public String name() {
        return settings.name();
    }

    public Set<String> topics() {
        return Set.copyOf(settings.topics);
    }

    /** One round of the lease keeper. */
    public void keepLeases() throws SQLException {
        ground.connections().autoCommit(connection -> {
            leases.step(connection);
            return connection;
        });
    }

    /** One round of each worker; returns how many messages left the log or were handled. */
    public int work() throws SQLException {
        int done = 0;
        for (int worker = 0; worker < workers.size(); worker++) {
            done += work(worker);
        }
        return done;
    }

    /**
     * One round of one worker.
     *
     * @param worker from 0
     */
    public int work(int worker) throws SQLException {
        return workers.get(worker).stepByHand();
    }

    /** Gives all lanes back, and leaves. What fails is logged, as in production. */
    public void stop() {
        workers.forEach(LaneWorker::giveAllBack);
        leases.leave();
    }
}
