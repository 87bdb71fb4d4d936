package dev.hapax.internal.consume;

import dev.hapax.Key;
import dev.hapax.consume.BatchHandler;
import dev.hapax.consume.Consumer;
import dev.hapax.consume.ConsumerBuilder;
import dev.hapax.consume.Handler;
import dev.hapax.consume.Start;
import dev.hapax.consume.source.Source;
import dev.hapax.internal.Checks;
import dev.hapax.internal.log.Lanes;
import dev.hapax.log.Message;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The settings of one consumer. Not changed after it is started. */
public final class ConsumerSettings implements ConsumerBuilder {

    private static final String ALREADY =
            "this process already runs a consumer named %s; raise its concurrency(…) instead";

    private final String name;
    private final Function<ConsumerSettings, Consumer> starter;
    final ConsumerGround ground;
    final Set<String> topics = new LinkedHashSet<>();
    final Map<Class<?>, Dispatch.Target> handlers = new LinkedHashMap<>();

    @Nullable
    Source source;

    boolean deduplicateById;

    @Nullable
    Function<? super Message, Key> deduplicateBy;

    int quarantineAfter = 5;
    Duration backoffFirst = Duration.ofMillis(200);
    Duration backoffLongest = Duration.ofMinutes(1);
    boolean holdsKeys = true;
    Start start = Start.BEGINNING;
    int concurrency = 2;
    int batch = 500;
    Duration lease = Duration.ofSeconds(3);
    Duration idle = Duration.ofMillis(100);
    int heldMax = 100_000;

    public ConsumerSettings(String name, ConsumerGround ground, Function<ConsumerSettings, Consumer> starter) {
        this.name = name;
        this.ground = ground;
        this.starter = starter;
    }

    public String name() {
        return name;
    }

    @Override
    public ConsumerBuilder topic(String topic) {
        topics.add(Checks.id("topic", topic));
        return this;
    }

    @Override
    public ConsumerBuilder from(Source broker) {
        Checks.state(source == null, "consumer %s has two sources; start a consumer for each", name);
        source = broker;
        return this;
    }

    @Override
    @SuppressWarnings("unchecked")
    public <T> ConsumerBuilder handle(Class<T> type, Handler<? super T> handler) {
        return handledBy(type, new Dispatch.Target.One((Handler<Object>) handler));
    }

    @Override
    @SuppressWarnings("unchecked")
    public <T> ConsumerBuilder handleAll(Class<T> type, BatchHandler<T> handler) {
        return handledBy(type, new Dispatch.Target.Many((BatchHandler<Object>) handler));
    }

    private ConsumerBuilder handledBy(Class<?> type, Dispatch.Target target) {
        Checks.that(handlers.putIfAbsent(type, target) == null, "%s has two handlers for %s", name, type.getName());
        return this;
    }

    @Override
    public ConsumerBuilder deduplicateById() {
        deduplicateById = true;
        return this;
    }

    @Override
    public ConsumerBuilder deduplicateBy(Function<? super Message, Key> key) {
        deduplicateBy = key;
        return this;
    }

    @Override
    public ConsumerBuilder quarantineAfter(int attempts) {
        quarantineAfter = Checks.range("quarantineAfter", attempts, 1, 1000);
        return this;
    }

    @Override
    public ConsumerBuilder backoff(Duration first, Duration longest) {
        backoffFirst = Checks.duration("backoff (first)", first, Duration.ofMillis(1), Duration.ofHours(1));
        backoffLongest = Checks.duration("backoff (longest)", longest, first, Duration.ofDays(1));
        return this;
    }

    @Override
    public ConsumerBuilder continuePastFailures() {
        holdsKeys = false;
        return this;
    }

    @Override
    public ConsumerBuilder startFrom(Start where) {
        start = where;
        return this;
    }

    @Override
    public ConsumerBuilder concurrency(int threads) {
        concurrency = Checks.range("concurrency", threads, 1, Lanes.COUNT);
        return this;
    }

    @Override
    public ConsumerBuilder batch(int messages) {
        batch = Checks.range("batch", messages, 1, 10_000);
        return this;
    }

    @Override
    public ConsumerBuilder lease(Duration time) {
        lease = Checks.duration("lease", time, Duration.ofMillis(500), Duration.ofMinutes(10));
        return this;
    }

    @Override
    public ConsumerBuilder idle(Duration longest) {
        idle = Checks.duration("idle", longest, Duration.ofMillis(1), Duration.ofSeconds(10));
        return this;
    }

    @Override
    public ConsumerBuilder heldMax(int messages) {
        heldMax = Checks.range("heldMax", messages, 1, 10_000_000);
        return this;
    }

    @Override
    public Consumer start() {
        check();
        return starter.apply(this);
    }

    boolean isDeduplicating() {
        return deduplicateById || deduplicateBy != null;
    }

    void check() {
        Source broker = source;
        Checks.state(broker != null || !topics.isEmpty(), "consumer %s has no topic; call .topic(…)", name);
        Checks.state(
                broker == null || topics.isEmpty(),
                "consumer %s reads from a source, which has topics of its own; leave .topic(…) out",
                name);
        if (broker != null) {
            broker.check(name);
        }
        Checks.state(
                !(deduplicateById && deduplicateBy != null),
                "consumer %s has both .deduplicateById() and .deduplicateBy(…)",
                name);
        Checks.state(!handlers.isEmpty(), "consumer %s has no handler; call .handle(…)", name);
    }

    /** Starts the threads of a consumer with these settings. */
    public Consumer startOn(ConsumerGround on, Predicate<Consumer> accepted, Runnable whenStopped) {
        Source broker = source;
        if (broker != null) {
            SourceConsumer consumer = new SourceConsumer(on, this, broker, whenStopped);
            Checks.state(accepted.test(consumer), ALREADY, name);
            consumer.start();
            return consumer;
        }
        LogConsumer consumer = new LogConsumer(on, this, whenStopped);
        Checks.state(accepted.test(consumer), ALREADY, name);
        consumer.start();
        return consumer;
    }

    /** How long the next try waits, before jitter. */
    long backoffMillis(int attempts) {
        long longest = backoffLongest.toMillis();
        int doublings = Math.min(attempts - 1, 40);
        long wait = backoffFirst.toMillis() << doublings;
        // A shift that ran over shows as a value that no longer shifts back.
        return wait >> doublings == backoffFirst.toMillis() ? Math.min(wait, longest) : longest;
    }
}
