package dev.hapax.testkit.proof;

import dev.hapax.testkit.ChildJvm;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * The process that {@link RealDeaths} starts: a JVM of its own, which does a scenario's work, and halts at a point or stands still there until it is killed. A {@code main} of yours calls
 * {@link #run}.
 */
public final class RealProcess {

    static final String ACKNOWLEDGED = "acknowledged ";
    static final String STANDS = "stands at ";
    static final String PASSED = "passed ";
    static final int HALTED = 75;

    private RealProcess() {}

    /**
     * Does what the arguments say, and ends this JVM.
     *
     * @param args as {@link RealDeaths} gives them
     * @param scenarios among which the one that is meant is found by its name
     * @throws Exception if the scenario can't be run
     */
    public static void run(String[] args, List<Scenario<?>> scenarios) throws Exception {
        ChildJvm.endWithParent();
        Trial trial = Trial.parse(args[1]);
        Scenario<?> scenario = scenarios.stream()
                .filter(one -> one.name().equals(trial.scenario()))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no scenario " + trial.scenario()));
        PGSimpleDataSource source = new PGSimpleDataSource();
        source.setURL(args[0]);
        live(scenario, trial, source, Instant.ofEpochMilli(Long.parseLong(args[2])), args[3].equals("stand"));
    }

    private static <S> void live(
            Scenario<S> scenario, Trial trial, PGSimpleDataSource source, Instant time, boolean stands)
            throws Exception {
        Tripwire tripwire = new Tripwire(trial.faults(), List.of());
        try (RawConnections connections = new RawConnections(source, "")) {
            Node node = new Node(
                    1,
                    false,
                    connections,
                    new Node.Wiring(
                            tripwire,
                            scenario.mutation,
                            scenario.alsoWrites,
                            (process, mode) -> die(tripwire, stands),
                            (process, raw) -> {},
                            new World(Map.of())));
            List<Operation> operations = new ArrayList<>();
            for (int nth = 1; nth <= scenario.operations; nth++) {
                operations.add(new Operation(nth, "op-" + nth, time, 1));
            }
            tripwire.arm(true);
            new Life<>(scenario, id -> tell(ACKNOWLEDGED + id)).live(node, operations);
            tripwire.arm(false);
        }
        tell(PASSED + tripwire.passed().size());
        Runtime.getRuntime().halt(0);
    }

    private static void die(Tripwire tripwire, boolean stands) {
        if (!stands) {
            Runtime.getRuntime().halt(HALTED);
        }
        tell(STANDS + tripwire.fired());
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void tell(String line) {
        System.out.println(line); // what the parent reads
        System.out.flush();
    }
}
