package dev.hapax.testkit.proof;

import dev.hapax.internal.consume.SteppedConsumer;
import java.sql.SQLException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One run, from an empty database to the counted rows. Used by one thread. */
final class TrialRunner<S> {

    private static final int LIVES_MAX = 8;
    private static final int TRIES_MAX = 4;
    private static final int ROUNDS_MAX = 40;
    private static final int LEASE_ROUNDS = 4;
    private static final int TROUBLES_MAX = 6;

    private final Scenario<S> scenario;
    private final Arena arena;
    private final Trial trial;
    private final Tripwire tripwire;
    private final Set<Violation> violations = new LinkedHashSet<>();
    private final List<Operation> operations;
    private final Instant time;
    private final Set<String> acknowledged = new HashSet<>();
    private final Set<String> consumers = new HashSet<>();
    private int nodes;
    private boolean again;

    private TrialRunner(Scenario<S> scenario, Arena arena, Trial trial, List<Tripwire.Aim> aims) {
        this.scenario = scenario;
        this.arena = arena;
        this.trial = trial;
        this.tripwire = new Tripwire(trial.faults(), aims);
        this.operations = new ArrayList<>();
        int count = scenario.operations * (trial.variation() == Variation.OTHER_KEYS ? 2 : 1);
        this.time = Instant.now().minus(scenario.age).truncatedTo(ChronoUnit.MILLIS);
        for (int nth = 1; nth <= count; nth++) {
            operations.add(new Operation(nth, "op-" + nth, time, 1));
        }
    }

    /**
     * What a run has shown.
     *
     * @param passed all points, in their order
     * @param fired those at which something went wrong
     * @param trial what was run, with the faults that were met where they were met
     */
    record Outcome(List<Point> passed, List<Point> fired, List<Violation> violations, Trial trial) {}

    static <S> Outcome run(Scenario<S> scenario, Arena arena, Trial trial) throws Exception {
        return run(scenario, arena, trial, List.of());
    }

    /** As {@link #run(Scenario, Arena, Trial)}, with the faults where they are aimed, whatever the numbers of those points are this time. */
    static <S> Outcome run(Scenario<S> scenario, Arena arena, Trial trial, List<Tripwire.Aim> aims) throws Exception {
        TrialRunner<S> runner = new TrialRunner<>(scenario, arena, trial, aims);
        arena.reset();
        if (trial.seed() != 0) {
            runner.first(
                    time -> new Interleaving<>(scenario, arena, runner.operations, trial.seed()).run(runner.tripwire));
        }
        return runner.rest();
    }

    /** As {@link #run}, after what a process of its own did. */
    static <S> Outcome after(Scenario<S> scenario, Arena arena, Trial trial, RealDeaths.First first) throws Exception {
        TrialRunner<S> runner = new TrialRunner<>(
                scenario, arena, new Trial(trial.scenario(), trial.variation(), List.of()), List.of());
        arena.reset();
        runner.first(first);
        return runner.rest();
    }

    private Outcome rest() throws Exception {
        live(false);
        live(true);
        return new Outcome(tripwire.passed(), tripwire.fired(), List.copyOf(violations), asItWent());
    }

    /** What others did before, whose leases have run out by now. */
    private void first(RealDeaths.First first) throws Exception {
        acknowledged.addAll(first.run(time));
        nodes = 2;
        arena.expireLeases();
        arena.passTime();
        Invariants.always(scenario, arena, operations, this::found);
    }

    /** Processes, one after another, until all is done; then all is counted. */
    private void live(boolean redelivery) throws Exception {
        again = redelivery;
        if (redelivery) {
            acknowledged.clear();
        }
        Throwable trouble = null;
        boolean quiet = false;
        for (int life = 0; life < LIVES_MAX && !quiet; life++) {
            trouble = null;
            Node node = node(arena.connections());
            try {
                quiet = process(node);
            } catch (ProcessDeath e) {
                trouble = e;
            } catch (Exception e) {
                trouble = e;
                node.kill();
            }
            if (node.isDead()) {
                arena.expireLeases();
                quiet = false;
            }
            arena.passTime();
            Invariants.always(scenario, arena, operations, this::found);
        }
        if (!quiet) {
            found(
                    Invariants.RECOVERS,
                    "after " + LIVES_MAX + " processes, " + acknowledged.size() + " of " + operations.size()
                            + " operations are answered; the last process ended with " + describe(trouble));
        }
        Invariants.atRest(
                scenario,
                arena,
                operations.stream().filter(o -> acknowledged.contains(o.id())).toList(),
                consumers,
                this::found);
    }

    private static String describe(@Nullable Throwable trouble) {
        return trouble == null ? "no failure" : trouble.toString();
    }

    private void found(String invariant, String finding) {
        violations.add(new Violation(
                invariant,
                finding,
                asItWent(),
                trial.seed() == 0 ? tripwire.fired().toString() : "in the schedule of seed " + trial.seed()));
    }

    private Trial asItWent() {
        List<Fault> faults = new ArrayList<>(trial.faults());
        List<Point> fired = tripwire.fired();
        for (int i = 0; i < fired.size(); i++) {
            faults.set(i, new Fault(fired.get(i).number(), faults.get(i).mode()));
        }
        return new Trial(trial.scenario(), trial.variation(), faults, trial.seed());
    }

    private Node node(RawConnections connections) {
        return new Node(
                ++nodes,
                again,
                connections,
                new Node.Wiring(
                        tripwire,
                        scenario.mutation,
                        scenario.alsoWrites,
                        this::disturb,
                        (process, raw) -> {},
                        arena.world()));
    }

    /** One process, from its start to its end; returns whether all was done. */
    private boolean process(Node node) throws Exception {
        tripwire.arm(true);
        S service = null;
        try {
            service = scenario.opener.open(node);
            for (Operation operation : sendings()) {
                if (!acknowledged.contains(operation.id()) || trial.variation() == Variation.REPEATED) {
                    deliver(node, service, operation);
                }
            }
            boolean quiet = consume(service);
            node.checkAlive();
            return quiet;
        } finally {
            tripwire.arm(false);
            close(service);
        }
    }

    private List<Operation> sendings() {
        if (trial.variation() != Variation.REPEATED) {
            return operations;
        }
        List<Operation> twice = new ArrayList<>();
        operations.forEach(operation -> {
            twice.add(operation);
            twice.add(operation.again());
        });
        return twice;
    }

    /** Sends an operation until it is answered. */
    private void deliver(Node node, S service, Operation operation) throws Exception {
        if (scenario.acknowledgesFirst) {
            acknowledged.add(operation.id());
        }
        Operation sent = again ? operation.again() : operation;
        for (int tries = 1; ; tries++) {
            try {
                scenario.sending.send(service, sent);
                node.checkAlive();
                acknowledged.add(operation.id());
                return;
            } catch (Exception e) {
                node.checkAlive();
                if (tries == TRIES_MAX) {
                    throw e;
                }
                sent = sent.again();
            }
        }
    }

    /** Lets the consumers work until nothing is left to do; returns whether that came. */
    private boolean consume(S service) throws Exception {
        List<SteppedConsumer> running = new ArrayList<>();
        scenario.consumers.forEach(builder -> running.add(SteppedConsumer.of(builder.apply(service))));
        running.forEach(consumer -> consumers.add(consumer.name()));
        int troubles = 0;
        boolean quiet = false;
        for (int round = 0; round < ROUNDS_MAX && !quiet; round++) {
            boolean well = true;
            try {
                Scenario.Background<S> background = scenario.background;
                if (background != null) {
                    background.step(service);
                }
                for (SteppedConsumer consumer : running) {
                    consumer.keepLeases();
                    while (consumer.work() > 0) {
                        // Again, until it finds nothing.
                    }
                }
            } catch (SQLException | RuntimeException e) {
                well = false;
                if (++troubles == TROUBLES_MAX) {
                    throw e;
                }
            }
            quiet = well && Invariants.inFlight(scenario, arena.watcher(), consumers) == 0;
            if (!quiet) {
                arena.passTime();
            }
            if (round % LEASE_ROUNDS == LEASE_ROUNDS - 1) {
                // Who is gone loses its lanes; who is there renews.
                arena.expireLeases();
            }
        }
        running.forEach(SteppedConsumer::stop);
        if (!quiet) {
            found(Invariants.RECOVERS, "a process that lives leaves work undone, round after round");
        }
        return quiet;
    }

    /** What else happens when something goes wrong. */
    private void disturb(Node node, Mode mode) {
        tripwire.arm(false);
        try {
            Variation variation = trial.variation();
            if (variation == Variation.LEASES_EXPIRED || variation == Variation.TAKEN_OVER) {
                arena.expireLeases();
            }
            if (variation == Variation.TAKEN_OVER || mode == Mode.PAUSED) {
                beside();
            }
        } catch (SQLException e) {
            throw new IllegalStateException("the scene could not be changed", e);
        } finally {
            tripwire.arm(true);
        }
    }

    /** A second process does what it can while the first stands still, on the same thread: where the first holds a lock it gives up soon. */
    private void beside() {
        Node second = node(arena.impatient());
        S service = null;
        try {
            service = scenario.opener.open(second);
            for (Operation operation : operations) {
                try {
                    scenario.sending.send(service, operation.again());
                } catch (Exception e) {
                    // The first has it locked; its client will ask again.
                    second.checkAlive();
                }
            }
            background(second, service);
            List<SteppedConsumer> running = new ArrayList<>();
            for (var builder : scenario.consumers) {
                running.add(SteppedConsumer.of(builder.apply(service)));
            }
            for (SteppedConsumer consumer : running) {
                consumer.keepLeases();
                while (consumer.work() > 0) {
                    // Again, until it finds nothing.
                }
            }
            running.forEach(SteppedConsumer::stop);
        } catch (Exception e) {
            // The first has it locked: the second has come as far as it can, and is gone.
            second.kill();
        } finally {
            close(service);
        }
    }

    private void background(Node second, S service) {
        Scenario.Background<S> background = scenario.background;
        if (background != null) {
            try {
                background.step(service);
            } catch (Exception e) {
                // What the first has locked is left to it.
                second.checkAlive();
            }
        }
    }

    static void close(@Nullable Object service) {
        if (service instanceof AutoCloseable closeable) {
            try {
                closeable.close();
            } catch (Exception | ProcessDeath e) {
                // A process that died can't close anything, and one that ends needs not.
                return;
            }
        }
    }
}
