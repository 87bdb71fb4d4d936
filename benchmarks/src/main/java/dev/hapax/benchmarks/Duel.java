package dev.hapax.benchmarks;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Sides in turn: each round is A B A B … in short slices, with another side first in every slice, so that neither the machine's other work nor the order favours
 * one. After each round every side's rows are counted.
 */
final class Duel {

    private final Plan plan;
    private final List<Cell> cells;
    private final Map<Cell, List<Double>> rates = new LinkedHashMap<>();
    private final Map<Cell, Long> operations = new HashMap<>();
    private final Map<Cell, Long> cpuNanos = new HashMap<>();
    private final Map<Cell, List<Double>> cpu = new HashMap<>();
    private @Nullable CpuTime clock;
    private boolean whole;

    Duel(Plan plan, Cell... cells) {
        this.plan = plan;
        this.cells = new ArrayList<>(List.of(cells));
        this.cells.forEach(cell -> rates.put(cell, new ArrayList<>()));
    }

    /** For sides that can't be cut into slices: each works once a round, until it is done. */
    Duel whole() {
        whole = true;
        return this;
    }

    /** Measures the CPU time of client and server as well: other work on the machine changes it little. */
    Duel withCpuOf(Lab lab) throws java.sql.SQLException {
        clock = new CpuTime(lab);
        return this;
    }

    Duel run() throws Exception {
        long warmUntil = System.nanoTime() + (whole ? 0 : plan.warmUp().toNanos() * cells.size());
        do {
            round(1);
        } while (System.nanoTime() - warmUntil < 0);
        checkAll();
        for (int n = 0; n < plan.rounds(); n++) {
            round(whole ? 1 : plan.slices()).forEach((cell, done) -> {
                rates(cell).add(done.rate());
                cpu.computeIfAbsent(cell, c -> new ArrayList<>())
                        .add((double) cpuNanos.getOrDefault(cell, 0L) / done.operations());
            });
            checkAll();
        }
        return this;
    }

    private Map<Cell, Cell.Done> round(int slices) throws Exception {
        Map<Cell, Cell.Done> round = new LinkedHashMap<>();
        cpuNanos.clear();
        List<Cell> order = new ArrayList<>(cells);
        for (int slice = 0; slice < slices; slice++) {
            for (Cell cell : order) {
                long before = clock == null ? 0 : clock.nanos();
                Cell.Done done = cell.run(plan.slice());
                cpuNanos.merge(cell, clock == null ? 0 : clock.nanos() - before, Long::sum);
                round.merge(cell, done, Cell.Done::plus);
                operations.merge(cell, done.operations(), Long::sum);
            }
            Collections.rotate(order, 1);
        }
        Collections.rotate(cells, 1);
        return round;
    }

    private void checkAll() throws Exception {
        for (Cell cell : cells) {
            cell.check(operations.getOrDefault(cell, 0L));
        }
    }

    private List<Double> rates(Cell cell) {
        return rates.computeIfAbsent(cell, c -> new ArrayList<>());
    }

    /** Operations a second, over the rounds. */
    Spread rate(Cell cell) {
        return Spread.of(rates(cell));
    }

    /** One side's rate by another's, round by round. */
    Spread ratio(Cell cell, Cell base) {
        List<Double> ratios = new ArrayList<>();
        for (int i = 0; i < rates(cell).size(); i++) {
            ratios.add(rates(cell).get(i) / rates(base).get(i));
        }
        return Spread.of(ratios);
    }

    /** What a side would do with the CPU time that another needs, by what that one does: above 1 it needs less. */
    Spread cpuRatio(Cell cell, Cell base) {
        List<Double> ratios = new ArrayList<>();
        for (int i = 0; i < rates(cell).size(); i++) {
            ratios.add(cpu.getOrDefault(base, List.of()).get(i)
                    / cpu.getOrDefault(cell, List.of()).get(i));
        }
        return Spread.of(ratios);
    }

    /** All operations of a side, warm-up included. */
    long operations(Cell cell) {
        return operations.getOrDefault(cell, 0L);
    }
}
