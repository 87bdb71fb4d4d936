package dev.hapax.testkit.proof;

import dev.hapax.testkit.EmbeddedDatabase;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Explores scenarios: runs each clean and counts, then with one fault at each point, in each mode that can happen there, then with pairs of faults.
 *
 * <p>Settings are made before {@link #explore}; not safe for use by many threads, but it uses several itself.
 */
public final class CrashPoints {

    private static final int BATCH = 40;
    private static final int PAIR_REACH = 40;
    private static final int LIKE_MAX = 1;

    private final EmbeddedDatabase server;
    private Set<Variation> variations = EnumSet.of(Variation.ALONE);
    private Set<Mode> modes = EnumSet.allOf(Mode.class);
    private boolean everyRepeat = true;
    private int pairs;
    private int schedules;
    private int samples;
    private long seed = 1;
    private int threads = 2;
    private Predicate<Point> chosen = point -> true;
    private boolean stopsAtFirst;

    /**
     * Begins an exploration.
     *
     * @param server where each scenario gets databases of its own
     */
    public CrashPoints(EmbeddedDatabase server) {
        this.server = server;
    }

    /** Which modes; default all. */
    public CrashPoints modes(Set<Mode> chosen) {
        modes = EnumSet.copyOf(chosen);
        return this;
    }

    /**
     * Which variations besides {@link Variation#ALONE}; default none.
     *
     * @param sampled how many runs are drawn from each of them by the seed; 0 for all there are
     */
    public CrashPoints variations(Set<Variation> chosen, int sampled) {
        variations = EnumSet.of(Variation.ALONE);
        variations.addAll(chosen);
        samples = sampled;
        return this;
    }

    /** How many pairs of faults are drawn by the seed; default none. */
    public CrashPoints pairs(int count) {
        pairs = count;
        return this;
    }

    /** How many times two processes do the scenario's work at once, one statement at a time, in an order that a seed decides; default none. */
    public CrashPoints schedules(int count) {
        schedules = count;
        return this;
    }

    /** What decides all that is drawn; default 1. */
    public CrashPoints seed(long value) {
        seed = value;
        return this;
    }

    /** How many runs at once, each with a database of its own; default 2. */
    public CrashPoints threads(int count) {
        threads = count;
        return this;
    }

    /** Of boundaries that follow each other and are alike (one statement for each of many rows), takes the first ones and the last one only. */
    public CrashPoints withoutLikes() {
        everyRepeat = false;
        return this;
    }

    /** Which points; default all. What is left out does not count. */
    public CrashPoints points(Predicate<Point> which) {
        chosen = which;
        return this;
    }

    /** Ends at the first violation: for mutants, which are to be caught and not to be explored. */
    public CrashPoints untilFirstViolation() {
        stopsAtFirst = true;
        return this;
    }

    /**
     * Explores one scenario.
     *
     * @return what was found
     * @throws IllegalStateException if a run can't be made: the scenario itself fails when nothing goes wrong
     */
    public ProofReport explore(Scenario<?> scenario) {
        return explore(List.of(scenario)).getFirst();
    }

    /** Explores several scenarios at once. */
    public List<ProofReport> explore(List<Scenario<?>> scenarios) {
        ExecutorService workers = Executors.newFixedThreadPool(
                threads, Thread.ofPlatform().daemon().name("hapax-proof-", 0).factory());
        List<Exploration<?>> explorations = new ArrayList<>();
        try {
            List<Future<?>> counted = new ArrayList<>();
            for (Scenario<?> scenario : scenarios) {
                Exploration<?> exploration = new Exploration<>(scenario);
                explorations.add(exploration);
                counted.add(workers.submit(exploration::plan));
            }
            List<Future<?>> runs = new ArrayList<>();
            for (int i = 0; i < counted.size(); i++) {
                await(counted.get(i));
                Exploration<?> exploration = explorations.get(i);
                exploration.batches().forEach(batch -> runs.add(workers.submit(batch)));
            }
            for (Future<?> run : runs) {
                await(run);
            }
            return explorations.stream().<ProofReport>map(Exploration::report).toList();
        } finally {
            workers.shutdownNow();
            explorations.forEach(Exploration::close);
        }
    }

    /** Runs exactly one trial, and reports it. */
    public ProofReport rerun(Scenario<?> scenario, Trial trial) {
        Exploration<?> exploration = new Exploration<>(scenario);
        try {
            exploration.warmUp();
            exploration.run(new Planned(trial, null));
            return exploration.report();
        } catch (Exception e) {
            throw failed(e);
        } finally {
            exploration.close();
        }
    }

    private static void await(Future<?> future) {
        try {
            future.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while exploring", e);
        } catch (ExecutionException e) {
            throw failed(e.getCause());
        }
    }

    private static RuntimeException failed(@Nullable Throwable cause) {
        return cause instanceof RuntimeException unchecked
                ? unchecked
                : new IllegalStateException("a run could not be made: " + cause, cause);
    }

    /** A run to be made, and the point that it must meet. */
    private record Planned(Trial trial, @Nullable Point point) {}

    /** One scenario's exploration. */
    private final class Exploration<S> {

        private final Scenario<S> scenario;
        private final Queue<Arena> idle = new ConcurrentLinkedQueue<>();
        private final Queue<Arena> all = new ConcurrentLinkedQueue<>();
        private final List<Planned> planned = new ArrayList<>();
        private final Queue<Violation> violations = new ConcurrentLinkedQueue<>();
        private final Queue<String> unreached = new ConcurrentLinkedQueue<>();
        private final Map<Mode, Integer> runs = new EnumMap<>(Mode.class);
        private final Set<Integer> points = new TreeSet<>();
        private final Set<Integer> exercised = new TreeSet<>();
        private final AtomicInteger scheduled = new AtomicInteger();
        private volatile boolean stopped;

        private Exploration(Scenario<S> scenario) {
            this.scenario = scenario;
        }

        /** What only the first run in a database does (partitions, say) is no part of the others. */
        void warmUp() throws Exception {
            Arena arena = borrow();
            idle.add(arena);
        }

        private Arena borrow() throws Exception {
            Arena arena = idle.poll();
            if (arena == null) {
                arena = new Arena(scenario, server);
                all.add(arena);
                TrialRunner.run(scenario, arena, new Trial(scenario.name, Variation.ALONE, List.of()));
            }
            return arena;
        }

        private TrialRunner.Outcome runIn(Trial trial) throws Exception {
            Arena arena = borrow();
            TrialRunner.Outcome outcome = TrialRunner.run(scenario, arena, trial);
            idle.add(arena);
            return outcome;
        }

        Object plan() throws Exception {
            for (Variation variation : variations) {
                Random random = new Random(seed + variation.ordinal());
                TrialRunner.Outcome clean = runIn(new Trial(scenario.name, variation, List.of()));
                violations.addAll(clean.violations());
                List<Planned> singles = singles(variation, clean.passed());
                if (variation != Variation.ALONE && samples > 0 && singles.size() > samples) {
                    singles = drawn(singles, random);
                }
                planned.addAll(singles);
                if (variation == Variation.ALONE) {
                    singles.forEach(
                            p -> points.add(p.trial().faults().getFirst().point()));
                    planned.addAll(pairs(clean.passed(), random));
                }
            }
            for (int i = 0; i < schedules; i++) {
                planned.add(new Planned(new Trial(scenario.name, Variation.ALONE, List.of(), seed + i), null));
            }
            if (stopsAtFirst) {
                rareFirst(planned);
            }
            return planned;
        }

        /** What is done seldom is where something is decided. */
        private void rareFirst(List<Planned> singles) {
            Map<String, Integer> frequency = new HashMap<>();
            singles.forEach(p -> frequency.merge(label(p), 1, Integer::sum));
            singles.sort(java.util.Comparator.comparing(p -> frequency.getOrDefault(label(p), 0)));
        }

        private static String label(Planned planned) {
            Point point = planned.point();
            return point == null ? "" : point.label();
        }

        private List<Planned> drawn(List<Planned> singles, Random random) {
            List<Planned> rest = new ArrayList<>(singles);
            java.util.Collections.shuffle(rest, random);
            return rest.subList(0, samples);
        }

        private List<Planned> singles(Variation variation, List<Point> passed) {
            List<Planned> singles = new ArrayList<>();
            for (Point point : everyRepeat ? passed : thinned(passed)) {
                for (Mode mode : modes) {
                    if (chosen.test(point) && mode.happensAt(point)) {
                        singles.add(new Planned(
                                new Trial(scenario.name, variation, List.of(new Fault(point.number(), mode))), point));
                    }
                }
            }
            return singles;
        }

        private static List<Point> thinned(List<Point> passed) {
            List<Point> kept = new ArrayList<>();
            for (int i = 0; i < passed.size(); i++) {
                Point point = passed.get(i);
                // A boundary is a pair of points, so its like lies two further.
                boolean first = i < 2 * LIKE_MAX || !point.isLike(passed.get(i - 2 * LIKE_MAX));
                boolean last = i + 2 >= passed.size() || !point.isLike(passed.get(i + 2));
                if (first || last) {
                    kept.add(point);
                }
            }
            return kept;
        }

        private List<Planned> pairs(List<Point> passed, Random random) {
            List<Planned> drawn = new ArrayList<>();
            Mode[] chosen = modes.toArray(Mode[]::new);
            for (int i = 0; i < pairs && !passed.isEmpty(); i++) {
                Point first = passed.get(random.nextInt(passed.size()));
                int second = first.number() + 1 + random.nextInt(PAIR_REACH);
                Fault one = new Fault(first.number(), chosen[random.nextInt(chosen.length)].nearestAt(first));
                Fault two = new Fault(second, chosen[random.nextInt(chosen.length)]);
                drawn.add(new Planned(new Trial(scenario.name, Variation.ALONE, List.of(one, two)), first));
            }
            return drawn;
        }

        List<Callable<Object>> batches() {
            List<Callable<Object>> batches = new ArrayList<>();
            for (int from = 0; from < planned.size(); from += BATCH) {
                List<Planned> batch = planned.subList(from, Math.min(from + BATCH, planned.size()));
                batches.add(() -> {
                    for (Planned one : batch) {
                        if (!stopped) {
                            run(one);
                        }
                    }
                    return batch;
                });
            }
            return batches;
        }

        void run(Planned one) throws Exception {
            TrialRunner.Outcome outcome = runIn(one.trial());
            violations.addAll(outcome.violations());
            stopped |= stopsAtFirst && !outcome.violations().isEmpty();
            if (one.trial().seed() != 0) {
                scheduled.incrementAndGet();
                return;
            }
            Point wanted = one.point();
            boolean met = !outcome.fired().isEmpty()
                    && (wanted == null || outcome.fired().getFirst().isLike(wanted));
            if (!met) {
                unreached.add(wanted + " in " + one.trial()
                        + (outcome.fired().isEmpty()
                                ? ""
                                : "; met " + outcome.fired().getFirst() + " instead"));
            }
            synchronized (this) {
                Fault first = one.trial().faults().getFirst();
                runs.merge(first.mode(), 1, Integer::sum);
                if (met && one.trial().variation() == Variation.ALONE) {
                    exercised.add(first.point());
                }
            }
        }

        ProofReport report() {
            synchronized (this) {
                return new ProofReport(
                        scenario.toString(),
                        points.size(),
                        exercised.size(),
                        scheduled.get(),
                        new HashMap<>(runs),
                        List.copyOf(violations),
                        List.copyOf(unreached));
            }
        }

        void close() {
            for (Arena arena = all.poll(); arena != null; arena = all.poll()) {
                try {
                    arena.close();
                } catch (java.sql.SQLException e) {
                    throw new IllegalStateException("a database could not be closed", e);
                }
            }
        }
    }
}
