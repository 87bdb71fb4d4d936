package dev.hapax.testkit.proof;

import dev.hapax.testkit.EmbeddedDatabase;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * One scenario's exploration, in generations of runs.
 *
 * <p>The first generation has a fault at each point that the scenario passes when nothing goes wrong. Its runs pass more than that: what is done only after something went wrong, such as
 * taking a lane over, or moving a position whose row isn't where it was left. A boundary that no plan has yet is a point as well, and the next generation has a fault there, behind the
 * fault that led to it; and so on until a generation finds nothing new. So what is proven is closed: no run of the exploration has passed a boundary at which nothing ever went wrong.
 *
 * <p>{@link #plan} and {@link #next} are called by one thread, between generations; runs by many.
 */
final class Exploration<S> {

    private static final int BATCH = 40;
    private static final int PAIR_REACH = 40;
    private static final int LIKE_MAX = 1;
    private static final int TRIES_MAX = 20;
    private static final int DRIFT_MAX = 5;
    private static final int GENERATIONS_MAX = 6;
    private static final int LATER_MAX = 1_000;

    private final CrashPoints settings;
    private final Scenario<S> scenario;
    private final EmbeddedDatabase server;
    private final Queue<Arena> idle = new ConcurrentLinkedQueue<>();
    private final Queue<Arena> all = new ConcurrentLinkedQueue<>();
    private final Queue<Violation> violations = new ConcurrentLinkedQueue<>();
    private final Queue<String> unreached = new ConcurrentLinkedQueue<>();
    private final Map<Mode, Integer> runs = new EnumMap<>(Mode.class);

    /** Boundaries that are points. Changed between generations only. */
    private final Set<String> known = new HashSet<>();

    /** Boundaries that were passed and are no points yet, each by the run that is first in its plan. */
    private final Map<String, Found> found = new ConcurrentHashMap<>();

    /** In which modes a point is to be exercised, by its number; those of later generations follow those of the first. */
    private final Map<Integer, Set<Mode>> points = new TreeMap<>();

    private final Map<Integer, Set<Mode>> exercised = new HashMap<>();
    private final AtomicInteger scheduled = new AtomicInteger();
    private int planned;
    private int last;
    private int later;
    private int generation = 1;
    private volatile boolean stopped;

    Exploration(CrashPoints settings, Scenario<S> scenario, EmbeddedDatabase server) {
        this.settings = settings;
        this.scenario = scenario;
        this.server = server;
    }

    /**
     * A run to be made.
     *
     * @param order its place in the plan
     * @param number the point that it exercises; 0 if it is one more run of a point that others exercise
     * @param fault which of its faults must meet the point
     * @param aims where its faults are wanted, up to that one; none if it goes by a schedule
     */
    private record Planned(int order, int number, Trial trial, int fault, List<Tripwire.Aim> aims) {

        private @Nullable Point wanted() {
            return aims.isEmpty() ? null : aims.get(fault).wanted();
        }

        private Mode mode() {
            return trial.faults().get(fault).mode();
        }

        private String label() {
            Point wanted = wanted();
            return wanted == null ? "" : wanted.label();
        }

        private Planned at(int place) {
            return new Planned(place, number, trial, fault, aims);
        }

        private boolean isMet(List<Point> fired) {
            Point wanted = wanted();
            return fired.size() > fault && (wanted == null || fired.get(fault).isLike(wanted));
        }
    }

    /** A boundary that is no point yet, and the run that passed it. */
    private record Found(int order, Point point, TrialRunner.Outcome outcome) {

        private Found first(Found other) {
            return Comparator.comparingInt(Found::order)
                                    .thenComparingInt(one -> one.point.number())
                                    .compare(this, other)
                            <= 0
                    ? this
                    : other;
        }

        private List<Point> before() {
            return outcome.fired().stream()
                    .filter(fired -> fired.number() < point.number())
                    .toList();
        }

        /** A fault there, behind those that led to it. */
        private Trial fault(Mode mode) {
            List<Fault> faults = new ArrayList<>(outcome.trial().faults().subList(0, before().size()));
            faults.add(new Fault(point.number(), mode));
            return new Trial(outcome.trial().scenario(), outcome.trial().variation(), faults);
        }

        private List<Tripwire.Aim> aims() {
            List<Point> wanted = new ArrayList<>(before());
            wanted.add(point);
            return Exploration.aims(outcome.passed(), wanted);
        }
    }

    /** What only the first run in a database does (partitions, say) is no part of the others. */
    void warmUp() throws Exception {
        idle.add(borrow());
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
        return runIn(trial, List.of());
    }

    private TrialRunner.Outcome runIn(Trial trial, List<Tripwire.Aim> aims) throws Exception {
        Arena arena = borrow();
        TrialRunner.Outcome outcome = TrialRunner.run(scenario, arena, trial, aims);
        idle.add(arena);
        violations.addAll(outcome.violations());
        stopped |= settings.stopsAtFirst && !outcome.violations().isEmpty();
        return outcome;
    }

    /** The first generation. */
    List<Callable<Object>> plan() throws Exception {
        List<Planned> plan = new ArrayList<>();
        for (Variation variation : settings.variations) {
            Random random = new Random(settings.seed + variation.ordinal());
            Trial untouched = new Trial(scenario.name, variation, List.of());
            TrialRunner.Outcome outcome = runIn(untouched);
            List<Point> passed = outcome.passed();
            if (variation == Variation.ALONE) {
                passed.forEach(point -> known.add(point.boundary()));
                last = passed.size();
                plan.addAll(singles(variation, passed));
                plan.addAll(pairs(passed, random));
            } else {
                discover(variation.ordinal(), outcome);
                List<Planned> singles = singles(variation, passed);
                plan.addAll(
                        settings.samples > 0 && singles.size() > settings.samples ? drawn(singles, random) : singles);
            }
        }
        for (int i = 0; i < settings.schedules; i++) {
            Trial schedule = new Trial(scenario.name, Variation.ALONE, List.of(), settings.seed + i);
            plan.add(new Planned(0, 0, schedule, 0, List.of()));
        }
        if (settings.stopsAtFirst) {
            rareFirst(plan);
        }
        return batches(plan);
    }

    /** The generation that follows those whose runs are over; empty if nothing new was found. */
    List<Callable<Object>> next() {
        List<Found> fresh = new ArrayList<>(found.values());
        found.clear();
        fresh.sort(Comparator.comparingInt(Found::order)
                .thenComparingInt(one -> one.point().number()));
        List<Planned> plan = new ArrayList<>();
        generation++;
        for (Found one : stopped ? List.<Found>of() : fresh) {
            if (generation > GENERATIONS_MAX || later >= LATER_MAX) {
                unreached.add(one.point() + ", which " + one.outcome().trial() + " passed as generation "
                        + (generation - 1) + " and was not explored");
                continue;
            }
            known.add(one.point().boundary());
            later++;
            int number = last + later;
            for (Mode mode : settings.modes) {
                if (mode.happensAt(one.point())) {
                    Trial trial = one.fault(mode);
                    points.computeIfAbsent(number, n -> EnumSet.noneOf(Mode.class))
                            .add(mode);
                    plan.add(new Planned(0, number, trial, trial.faults().size() - 1, one.aims()));
                }
            }
        }
        return batches(plan);
    }

    /** What is done seldom is where something is decided. */
    private static void rareFirst(List<Planned> plan) {
        Map<String, Integer> frequency = new HashMap<>();
        plan.forEach(one -> frequency.merge(one.label(), 1, Integer::sum));
        plan.sort(Comparator.comparing(one -> frequency.getOrDefault(one.label(), 0)));
    }

    private List<Planned> drawn(List<Planned> singles, Random random) {
        List<Planned> rest = new ArrayList<>(singles);
        Collections.shuffle(rest, random);
        return rest.subList(0, settings.samples);
    }

    private List<Planned> singles(Variation variation, List<Point> passed) {
        List<Planned> singles = new ArrayList<>();
        boolean counts = variation == Variation.ALONE;
        for (Point point : settings.everyRepeat ? passed : thinned(passed)) {
            for (Mode mode : settings.modes) {
                if (settings.chosen.test(point) && mode.happensAt(point)) {
                    if (counts) {
                        points.computeIfAbsent(point.number(), n -> EnumSet.noneOf(Mode.class))
                                .add(mode);
                    }
                    Trial trial = new Trial(scenario.name, variation, List.of(new Fault(point.number(), mode)));
                    singles.add(new Planned(0, counts ? point.number() : 0, trial, 0, aims(passed, List.of(point))));
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
        Mode[] chosen = settings.modes.toArray(Mode[]::new);
        for (int i = 0; i < settings.pairs && !passed.isEmpty(); i++) {
            Point first = passed.get(random.nextInt(passed.size()));
            int second = first.number() + 1 + random.nextInt(PAIR_REACH);
            Fault one = new Fault(first.number(), chosen[random.nextInt(chosen.length)].nearestAt(first));
            Fault two = new Fault(second, chosen[random.nextInt(chosen.length)]);
            Trial trial = new Trial(scenario.name, Variation.ALONE, List.of(one, two));
            drawn.add(new Planned(0, 0, trial, 0, aims(passed, List.of(first))));
        }
        return drawn;
    }

    private List<Callable<Object>> batches(Collection<Planned> plan) {
        List<Planned> ordered = new ArrayList<>();
        plan.forEach(one -> ordered.add(one.at(Variation.values().length + planned++)));
        List<Callable<Object>> batches = new ArrayList<>();
        for (int from = 0; from < ordered.size(); from += BATCH) {
            List<Planned> batch = ordered.subList(from, Math.min(from + BATCH, ordered.size()));
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

    private void run(Planned one) throws Exception {
        if (one.trial().seed() != 0) {
            runIn(one.trial());
            scheduled.incrementAndGet();
            return;
        }
        Trial trial = one.trial();
        boolean met = false;
        String instead = "";
        for (int tries = 0; tries < TRIES_MAX && !met; tries++) {
            // Every other try aims at the boundaries themselves: rounds that time adds or takes away move their numbers
            // only.
            TrialRunner.Outcome outcome = runIn(trial, tries % 2 == 1 ? one.aims() : List.of());
            discover(one.order(), outcome);
            List<Point> fired = outcome.fired();
            met = one.isMet(fired);
            if (!met) {
                instead = fired.isEmpty() ? "" : "; met " + fired + " instead";
                // Where time has a say, a run may have gone another way than the one that it follows: now and then from
                // the start.
                trial = (tries + 1) % DRIFT_MAX == 0 ? one.trial() : moved(one, trial, outcome.passed());
            }
        }
        if (!met) {
            unreached.add(one.wanted() + " in " + one.trial() + instead);
        }
        synchronized (this) {
            runs.merge(one.mode(), 1, Integer::sum);
            if (met && one.number() != 0) {
                exercised
                        .computeIfAbsent(one.number(), n -> EnumSet.noneOf(Mode.class))
                        .add(one.mode());
            }
        }
    }

    private void discover(int order, TrialRunner.Outcome outcome) {
        for (Point point : outcome.passed()) {
            if (!known.contains(point.boundary()) && settings.chosen.test(point)) {
                found.merge(point.boundary(), new Found(order, point, outcome), Found::first);
            }
        }
    }

    /**
     * @param passed the points of a run
     * @param wanted some of them, in their order
     */
    private static List<Tripwire.Aim> aims(List<Point> passed, List<Point> wanted) {
        List<Tripwire.Aim> aims = new ArrayList<>();
        int before = 0;
        for (Point point : wanted) {
            int from = before;
            aims.add(new Tripwire.Aim(point, (int) passed.stream()
                    .filter(one -> one.number() > from && one.number() <= point.number() && one.isLike(point))
                    .count()));
            before = point.number();
        }
        return aims;
    }

    /**
     * The same run, with its fault where the point was this time: what other transactions of the server do may move it, since a gap in the log is given up when they have ended.
     */
    private static Trial moved(Planned one, Trial trial, List<Point> passed) {
        Point wanted = one.wanted();
        if (wanted == null) {
            return trial;
        }
        List<Fault> faults = new ArrayList<>(trial.faults());
        int before = one.fault() == 0 ? 0 : faults.get(one.fault() - 1).point();
        int at = faults.get(one.fault()).point();
        Optional<Point> nearest = passed.stream()
                .filter(point -> point.number() > before && point.isLike(wanted))
                .min(Comparator.comparingInt(point -> Math.abs(point.number() - at)));
        if (nearest.isEmpty()) {
            return trial;
        }
        int by = nearest.get().number() - at;
        for (int i = one.fault(); i < faults.size(); i++) {
            faults.set(i, new Fault(faults.get(i).point() + by, faults.get(i).mode()));
        }
        return new Trial(trial.scenario(), trial.variation(), faults);
    }

    /** Runs exactly one trial. */
    void rerun(Trial trial) throws Exception {
        TrialRunner.Outcome outcome = runIn(trial);
        if (trial.seed() != 0) {
            scheduled.incrementAndGet();
            return;
        }
        List<Fault> faults = trial.faults();
        if (outcome.fired().size() < faults.size()) {
            unreached.add(trial + "; met " + outcome.fired());
        }
        if (!faults.isEmpty()) {
            runs.merge(faults.getLast().mode(), 1, Integer::sum);
        }
    }

    ProofReport report() {
        synchronized (this) {
            int done = (int) points.entrySet().stream()
                    .filter(point ->
                            exercised.getOrDefault(point.getKey(), Set.of()).containsAll(point.getValue()))
                    .count();
            return new ProofReport(
                    scenario.toString(),
                    new ProofReport.Coverage(points.size(), later, done),
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
            } catch (Exception e) {
                throw new IllegalStateException("a scene could not be closed", e);
            }
        }
    }
}
