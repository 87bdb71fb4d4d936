package dev.hapax.micrometer;

import dev.hapax.spi.Metrics;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleSupplier;

/**
 * Counts in a Micrometer registry, under {@code hapax.*}; the names stand in {@code docs/reference/metrics.md}. Every series of a scope or
 * consumer exists from its declaration on, at 0, so that an alert on an increase sees the first one.
 *
 * <p>Safe for use by many threads.
 */
public final class MicrometerMetrics implements Metrics {

    private final MeterRegistry registry;
    private final Timer poolWait;
    private final Counter rewinds;
    private final Map<String, ScopeMeters> scopes = new ConcurrentHashMap<>();
    private final Map<String, ConsumerMeters> consumers = new ConcurrentHashMap<>();
    private final Map<String, ClaimMeters> claims = new ConcurrentHashMap<>();
    private final Map<String, SagaMeters> sagas = new ConcurrentHashMap<>();

    private MicrometerMetrics(MeterRegistry registry) {
        this.registry = registry;
        this.poolWait = Timer.builder("hapax.pool.wait")
                .description("Waiting for a connection of the pool")
                .register(registry);
        this.rewinds = Counter.builder("hapax.history.rewinds")
                .description("Times that this process found the database to have gone back in time")
                .register(registry);
    }

    /** Counts in the given registry. */
    public static MicrometerMetrics on(MeterRegistry registry) {
        return new MicrometerMetrics(registry);
    }

    @Override
    public void scope(String scope) {
        scopes.computeIfAbsent(scope, name -> new ScopeMeters(registry, name));
    }

    @Override
    public void once(String scope, Ending ending, long count) {
        Objects.requireNonNull(meters(scope).endings.get(ending)).increment(count);
    }

    @Override
    public void retried(String scope) {
        meters(scope).retries.increment();
    }

    @Override
    public void markerNanos(String scope, long nanos) {
        meters(scope).marker.record(nanos, TimeUnit.NANOSECONDS);
    }

    @Override
    public void poolWaitNanos(long nanos) {
        poolWait.record(nanos, TimeUnit.NANOSECONDS);
    }

    @Override
    public void rewound() {
        rewinds.increment();
    }

    @Override
    public void consumer(String consumer, DoubleSupplier lagMessages, DoubleSupplier lagSeconds) {
        consumerStopped(consumer);
        consumers.put(consumer, new ConsumerMeters(registry, consumer, lagMessages, lagSeconds));
    }

    @Override
    public void consumerStopped(String consumer) {
        ConsumerMeters stopped = consumers.remove(consumer);
        if (stopped != null) {
            stopped.gauges.forEach(registry::remove);
        }
    }

    @Override
    public void handled(String consumer, Handling handling, long count) {
        ConsumerMeters meters = consumers.get(consumer);
        if (meters != null) {
            Objects.requireNonNull(meters.handlings.get(handling)).increment(count);
        }
    }

    @Override
    public void batch(String consumer, int messages, long nanos) {
        ConsumerMeters meters = consumers.get(consumer);
        if (meters != null) {
            meters.batchSize.record(messages);
            meters.batchTime.record(nanos, TimeUnit.NANOSECONDS);
        }
    }

    @Override
    public void attempts(String consumer, int attempts) {
        ConsumerMeters meters = consumers.get(consumer);
        if (meters != null) {
            meters.attempts.record(attempts);
        }
    }

    @Override
    public void fenced(String consumer) {
        ConsumerMeters meters = consumers.get(consumer);
        if (meters != null) {
            meters.fenced.increment();
        }
    }

    @Override
    public void stalled(String consumer) {
        ConsumerMeters meters = consumers.get(consumer);
        if (meters != null) {
            meters.stalled.increment();
        }
    }

    @Override
    public void batchRetried(String consumer) {
        ConsumerMeters meters = consumers.get(consumer);
        if (meters != null) {
            meters.retries.increment();
        }
    }

    @Override
    public void claims(String scope, DoubleSupplier inDoubt, DoubleSupplier oldestInDoubtSeconds) {
        ClaimMeters before = claims.put(scope, new ClaimMeters(registry, scope));
        if (before != null) {
            before.gauges.forEach(registry::remove);
        }
        claimMeters(scope).gauges = List.of(
                gauge("hapax.claims.in.doubt", scope, inDoubt),
                gauge("hapax.claims.in.doubt.oldest.seconds", scope, oldestInDoubtSeconds));
    }

    @Override
    public void claim(String scope, Claiming ending) {
        Objects.requireNonNull(claimMeters(scope).endings.get(ending)).increment();
    }

    @Override
    public void callNanos(String scope, long nanos) {
        claimMeters(scope).call.record(nanos, TimeUnit.NANOSECONDS);
    }

    @Override
    public void saga(String name) {
        sagaMeters(name);
    }

    @Override
    public void saga(String name, SagaEvent event) {
        counter(sagaMeters(name).events, event).increment();
    }

    @Override
    public void sagaStep(String name, StepEvent event) {
        counter(sagaMeters(name).steps, event).increment();
    }

    private static <E extends Enum<E>> Counter counter(Map<E, Counter> counters, E which) {
        return Objects.requireNonNull(counters.get(which));
    }

    private SagaMeters sagaMeters(String name) {
        SagaMeters known = sagas.get(name);
        return known != null ? known : sagas.computeIfAbsent(name, saga -> new SagaMeters(registry, saga));
    }

    private ClaimMeters claimMeters(String scope) {
        ClaimMeters known = claims.get(scope);
        return known != null ? known : claims.computeIfAbsent(scope, name -> new ClaimMeters(registry, name));
    }

    private Meter gauge(String name, String scope, DoubleSupplier supplier) {
        return Gauge.builder(name, supplier, DoubleSupplier::getAsDouble)
                .tag("scope", scope)
                .strongReference(true)
                .register(registry);
    }

    private ScopeMeters meters(String scope) {
        ScopeMeters known = scopes.get(scope);
        return known != null ? known : scopes.computeIfAbsent(scope, name -> new ScopeMeters(registry, name));
    }

    private static String tag(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    private static final class ScopeMeters {

        private final Map<Ending, Counter> endings = new EnumMap<>(Ending.class);
        private final Counter retries;
        private final Timer marker;

        private ScopeMeters(MeterRegistry registry, String scope) {
            for (Ending ending : Ending.values()) {
                endings.put(
                        ending,
                        Counter.builder("hapax.operations")
                                .description("Operations, by what became of them")
                                .tag("scope", scope)
                                .tag("ending", tag(ending))
                                .register(registry));
            }
            retries = Counter.builder("hapax.operation.retries")
                    .description(
                            "Transactions tried again after a deadlock, a serialization failure or a lost connection")
                    .tag("scope", scope)
                    .register(registry);
            marker = Timer.builder("hapax.marker.write")
                    .description("The statement that writes the marker")
                    .tag("scope", scope)
                    .register(registry);
        }
    }

    private static final class SagaMeters {

        private final Map<SagaEvent, Counter> events = new EnumMap<>(SagaEvent.class);
        private final Map<StepEvent, Counter> steps = new EnumMap<>(StepEvent.class);

        private SagaMeters(MeterRegistry registry, String saga) {
            for (SagaEvent event : SagaEvent.values()) {
                events.put(
                        event,
                        Counter.builder("hapax.sagas")
                                .description("Sagas, by what became of them")
                                .tag("saga", saga)
                                .tag("event", tag(event))
                                .register(registry));
            }
            for (StepEvent event : StepEvent.values()) {
                steps.put(
                        event,
                        Counter.builder("hapax.saga.steps")
                                .description("Tries of steps, by what became of them")
                                .tag("saga", saga)
                                .tag("step", tag(event))
                                .register(registry));
            }
        }
    }

    private static final class ClaimMeters {

        private final Map<Claiming, Counter> endings = new EnumMap<>(Claiming.class);
        private final Timer call;
        private volatile List<Meter> gauges = List.of();

        private ClaimMeters(MeterRegistry registry, String scope) {
            for (Claiming ending : Claiming.values()) {
                endings.put(
                        ending,
                        Counter.builder("hapax.claims")
                                .description("Operations in other systems, by what became of them")
                                .tag("scope", scope)
                                .tag("claiming", tag(ending))
                                .register(registry));
            }
            call = Timer.builder("hapax.claim.call")
                    .description("Calls of other systems, whatever they ended with")
                    .tag("scope", scope)
                    .register(registry);
        }
    }

    private static final class ConsumerMeters {

        private final Map<Handling, Counter> handlings = new EnumMap<>(Handling.class);
        private final Counter fenced;
        private final Counter stalled;
        private final Counter retries;
        private final DistributionSummary batchSize;
        private final DistributionSummary attempts;
        private final Timer batchTime;
        private final List<Meter> gauges;

        private ConsumerMeters(
                MeterRegistry registry, String consumer, DoubleSupplier lagMessages, DoubleSupplier lagSeconds) {
            for (Handling handling : Handling.values()) {
                handlings.put(
                        handling,
                        Counter.builder("hapax.consumer.messages")
                                .description("Messages, by what became of them")
                                .tag("consumer", consumer)
                                .tag("handling", tag(handling))
                                .register(registry));
            }
            fenced = Counter.builder("hapax.consumer.fenced")
                    .description("Writes refused because another owner had taken over")
                    .tag("consumer", consumer)
                    .register(registry);
            stalled = Counter.builder("hapax.consumer.stalled")
                    .description("Lanes that stood still because too many numbers were missing")
                    .tag("consumer", consumer)
                    .register(registry);
            retries = Counter.builder("hapax.consumer.retries")
                    .description("Batches tried again after a deadlock or a serialization failure")
                    .tag("consumer", consumer)
                    .register(registry);
            batchSize = DistributionSummary.builder("hapax.consumer.batch.size")
                    .tag("consumer", consumer)
                    .register(registry);
            attempts = DistributionSummary.builder("hapax.consumer.attempts")
                    .tag("consumer", consumer)
                    .register(registry);
            batchTime = Timer.builder("hapax.consumer.batch")
                    .tag("consumer", consumer)
                    .register(registry);
            gauges = List.of(
                    gauge(registry, "hapax.consumer.lag.messages", consumer, lagMessages),
                    gauge(registry, "hapax.consumer.lag.seconds", consumer, lagSeconds));
        }

        private static Meter gauge(MeterRegistry registry, String name, String consumer, DoubleSupplier supplier) {
            return Gauge.builder(name, supplier, DoubleSupplier::getAsDouble)
                    .tag("consumer", consumer)
                    .strongReference(true)
                    .register(registry);
        }
    }
}
