package dev.hapax.internal.consume;

import dev.hapax.consume.Consumer;
import dev.hapax.consume.ConsumerBuilder;
import dev.hapax.consume.Handler;
import dev.hapax.consume.Start;
import dev.hapax.internal.Checks;
import dev.hapax.internal.log.Lanes;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/** The settings of one consumer. Not changed after it is started. */
public final class ConsumerSettings implements ConsumerBuilder {

    private final String name;
    private final Function<ConsumerSettings, Consumer> starter;
    final ConsumerGround ground;
    final Set<String> topics = new LinkedHashSet<>();
    final Map<Class<?>, Handler<?>> handlers = new LinkedHashMap<>();
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
    public <T> ConsumerBuilder handle(Class<T> type, Handler<? super T> handler) {
        Checks.that(handlers.putIfAbsent(type, handler) == null, "%s has two handlers for %s", name, type.getName());
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

    void check() {
        Checks.state(!topics.isEmpty(), "consumer %s has no topic; call .topic(…)", name);
        Checks.state(!handlers.isEmpty(), "consumer %s has no handler; call .handle(…)", name);
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
