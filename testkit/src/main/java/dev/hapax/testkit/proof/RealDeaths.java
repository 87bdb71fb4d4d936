package dev.hapax.testkit.proof;

import dev.hapax.testkit.ChildJvm;
import dev.hapax.testkit.EmbeddedDatabase;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * The second tier: what {@link CrashPoints} does inside one JVM, with real processes. A JVM of its own does the scenario's work and, at a point that the seed draws, halts by
 * {@link Runtime#halt} or is killed by SIGKILL while it stands there; then the rest is done, and counted, as ever. Not safe for use by many threads.
 */
public final class RealDeaths {

    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int HEAP_MEBIBYTES = 96;

    private final EmbeddedDatabase server;
    private final Class<?> main;
    private final long seed;

    /**
     * Begins.
     *
     * @param server where each scenario gets a database of its own
     * @param main a class whose {@code main} calls {@link RealProcess#run}
     * @param seed what decides where processes die
     */
    public RealDeaths(EmbeddedDatabase server, Class<?> main, long seed) {
        this.server = server;
        this.main = main;
        this.seed = seed;
    }

    /**
     * Lets processes die in a scenario.
     *
     * @param deaths how many; every other one is a SIGKILL
     * @return what was found
     * @throws Exception if a run can't be made
     */
    public ProofReport explore(Scenario<?> scenario, int deaths) throws Exception {
        if (scenario.isBoundToThisProcess()) {
            throw new IllegalArgumentException(
                    scenario + " has something outside the database that a process of its own can't reach");
        }
        try (Arena arena = new Arena(scenario, server)) {
            Random random = new Random(seed);
            // What only the first process in a database does is no part of the others.
            run(scenario, arena, new Trial(scenario.name, Variation.ALONE, List.of()), false);
            int points = run(scenario, arena, new Trial(scenario.name, Variation.ALONE, List.of()), false)
                    .points();
            List<Violation> violations = new ArrayList<>();
            List<String> unreached = new ArrayList<>();
            Set<Integer> exercised = new HashSet<>();
            Map<Mode, Integer> runs = new HashMap<>();
            for (int i = 0; i < deaths; i++) {
                Fault fault = new Fault(1 + random.nextInt(points), Mode.DIES);
                Trial trial = new Trial(scenario.name, Variation.ALONE, List.of(fault));
                Ended ended = run(scenario, arena, trial, i % 2 == 1);
                violations.addAll(ended.outcome().violations());
                runs.merge(Mode.DIES, 1, Integer::sum);
                if (ended.died()) {
                    exercised.add(fault.point());
                } else {
                    unreached.add(trial.toString());
                }
            }
            return new ProofReport(
                    scenario.toString(),
                    new ProofReport.Coverage(exercised.size(), 0, exercised.size()),
                    0,
                    runs,
                    violations,
                    unreached);
        }
    }

    private record Ended(TrialRunner.Outcome outcome, boolean died, int points) {}

    private Ended run(Scenario<?> scenario, Arena arena, Trial trial, boolean killed) throws Exception {
        boolean[] died = {false};
        int[] points = {0};
        TrialRunner.Outcome outcome = TrialRunner.after(scenario, arena, trial, time -> {
            try (ChildJvm child = ChildJvm.of(main)
                    .name("process of " + trial)
                    .heap(HEAP_MEBIBYTES)
                    .arguments(
                            arena.jdbcUrl(),
                            trial.toString(),
                            Long.toString(time.toEpochMilli()),
                            killed ? "stand" : "halt")
                    .start()) {
                if (killed && !trial.faults().isEmpty()) {
                    child.awaitLine(RealProcess.STANDS, PATIENCE);
                    child.kill9();
                    died[0] = true;
                } else {
                    died[0] = child.awaitExit(PATIENCE) == RealProcess.HALTED;
                }
                arena.awaitAlone();
                points[0] = passed(child.lines());
                return acknowledged(child.lines());
            }
        });
        return new Ended(outcome, died[0], points[0]);
    }

    private static int passed(List<String> lines) {
        return lines.stream()
                .filter(line -> line.startsWith(RealProcess.PASSED))
                .mapToInt(line -> Integer.parseInt(line.substring(RealProcess.PASSED.length())))
                .findFirst()
                .orElse(0);
    }

    private static Set<String> acknowledged(List<String> lines) {
        Set<String> ids = new HashSet<>();
        lines.stream()
                .filter(line -> line.startsWith(RealProcess.ACKNOWLEDGED))
                .forEach(line -> ids.add(line.substring(RealProcess.ACKNOWLEDGED.length())));
        return ids;
    }

    /** What a process outside does before those inside go on. */
    @FunctionalInterface
    interface First {
        /** {@return the operations that were answered} */
        Set<String> run(Instant time) throws Exception;
    }
}
