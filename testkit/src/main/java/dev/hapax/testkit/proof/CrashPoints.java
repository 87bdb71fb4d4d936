package dev.hapax.testkit.proof;

import dev.hapax.testkit.EmbeddedDatabase;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Explores scenarios: runs each clean and counts, then with one fault at each point, in each mode that can happen there, then with pairs of faults. What is only passed after something
 * went wrong is a point as well, and explored in the same way, until nothing new is found.
 *
 * <p>Settings are made before {@link #explore}; not safe for use by many threads, but it uses several itself.
 */
public final class CrashPoints {

    private final EmbeddedDatabase server;
    private int threads = 2;

    Set<Variation> variations = EnumSet.of(Variation.ALONE);
    Set<Mode> modes = EnumSet.allOf(Mode.class);
    boolean everyRepeat = true;
    int pairs;
    int schedules;
    int samples;
    long seed = 1;
    Predicate<Point> chosen = point -> true;
    boolean stopsAtFirst;

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
            List<Future<List<Callable<Object>>>> plans = new ArrayList<>();
            for (Scenario<?> scenario : scenarios) {
                Exploration<?> exploration = new Exploration<>(this, scenario, server);
                explorations.add(exploration);
                plans.add(workers.submit(exploration::plan));
            }
            List<Future<?>> runs = new ArrayList<>();
            for (Future<List<Callable<Object>>> plan : plans) {
                await(plan).forEach(batch -> runs.add(workers.submit(batch)));
            }
            while (!runs.isEmpty()) {
                for (Future<?> run : runs) {
                    await(run);
                }
                runs.clear();
                explorations.forEach(
                        exploration -> exploration.next().forEach(batch -> runs.add(workers.submit(batch))));
            }
            return explorations.stream().<ProofReport>map(Exploration::report).toList();
        } finally {
            workers.shutdownNow();
            explorations.forEach(Exploration::close);
        }
    }

    /** Runs exactly one trial, and reports it. */
    public ProofReport rerun(Scenario<?> scenario, Trial trial) {
        Exploration<?> exploration = new Exploration<>(this, scenario, server);
        try {
            exploration.warmUp();
            exploration.rerun(trial);
            return exploration.report();
        } catch (Exception e) {
            throw failed(e);
        } finally {
            exploration.close();
        }
    }

    private static <T> T await(Future<T> future) {
        try {
            return future.get();
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
}
