package dev.hapax.benchmarks;

import dev.hapax.Key;
import dev.hapax.once.Verdict;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A broker that delivers everything ten times, shuffled, beside callers with fresh work. The redeliveries come as they come from a broker: to one reader, in batches of up to 500, and it takes the next when it is through
 * with the last. That is the back-pressure: however many wait, one transaction of them is in flight.
 */
final class RedeliveryStormBenchmark implements Benchmark {

    private static final int CALLERS = 8;
    private static final int BATCH = 500;
    private static final int REDELIVERIES = 9;

    @Override
    public String name() {
        return "redelivery-storm";
    }

    @Override
    public String about() {
        return "fresh work of 8 callers, alone and while each operation is delivered nine more times, shuffled";
    }

    @Override
    public void run(Plan plan, Report report) throws Exception {
        try (Lab lab = Lab.open(report);
                Crew crew = new Crew(CALLERS)) {
            Payments payments = new Payments(lab);
            Cell alone = payments.cell("alone", crew, lab.producer, payments::once);
            Storm storm = new Storm(lab);
            Cell stormy = stormy(lab, crew, payments, storm);
            Duel duel = new Duel(plan, alone, stormy).withCpuOf(lab).run();
            report.part(CALLERS + " callers");
            report.figure("fresh operations/s, alone", duel.rate(alone));
            report.figure("fresh operations/s, in the storm", duel.rate(stormy));
            report.figure("in the storm / alone", duel.ratio(stormy, alone), Target.atLeast(0.7));
            double deliveries = 1 + (double) storm.redelivered() / duel.operations(stormy);
            report.figure(
                    "deliveries of an operation in the storm",
                    Spread.of(List.of(deliveries)),
                    Target.atLeast(1 + REDELIVERIES * 0.95));
            report.checked(
                    "%,d redeliveries found their marker, none took effect; %,d and %,d effects, as many markers",
                    storm.redelivered(), duel.operations(alone), duel.operations(stormy));
        }
    }

    private static Cell stormy(Lab lab, Crew crew, Payments payments, Storm storm) throws SQLException {
        EffectCount effects = new EffectCount(lab, "stormy");
        return new Cell("stormy") {
            @Override
            Done run(Duration slice) throws Exception {
                try (Storm.Blowing blowing = storm.begin()) {
                    return crew.run(slice, () -> {
                        String id = Ids.next();
                        WrongRows.unless(payments.once("stormy", id), "a new key was taken for a seen one");
                        blowing.add(id);
                        return 1;
                    });
                }
            }

            @Override
            void check(long operations) throws SQLException {
                effects.check(operations, lab.producer);
            }
        };
    }

    /** What is to be delivered again, and the reader of it. */
    private static final class Storm {

        private final Lab lab;
        private final List<String> waiting = new ArrayList<>();
        private final AtomicLong redelivered = new AtomicLong();

        Storm(Lab lab) {
            this.lab = lab;
        }

        long redelivered() {
            return redelivered.get();
        }

        Blowing begin() {
            return new Blowing();
        }

        private synchronized void add(String id) {
            for (int i = 0; i < REDELIVERIES; i++) {
                waiting.add(id);
            }
            notifyAll();
        }

        /** A batch drawn from all that waits; empty if it is over before there is one. */
        private synchronized List<String> draw(Blowing blowing) throws InterruptedException {
            while (waiting.size() < BATCH && !blowing.over) {
                wait();
            }
            List<String> batch = new ArrayList<>(BATCH);
            while (!blowing.over && batch.size() < BATCH) {
                int index = ThreadLocalRandom.current().nextInt(waiting.size());
                batch.add(waiting.get(index));
                String last = waiting.removeLast();
                if (index < waiting.size()) {
                    waiting.set(index, last);
                }
            }
            return batch;
        }

        private void redeliver(List<String> batch) {
            List<Verdict> verdicts = lab.hapax
                    .onceAll(batch, id -> Key.of(Lab.SCOPE, id))
                    .run((fresh, tx) -> {
                        throw new WrongRows(fresh.size() + " redeliveries were taken for new");
                    });
            WrongRows.unless(
                    verdicts.stream().allMatch(verdict -> verdict == Verdict.REPLAYED), "a redelivery was refused");
            redelivered.addAndGet(batch.size());
        }

        private synchronized void end(Blowing blowing) {
            blowing.over = true;
            notifyAll();
        }

        /** One slice of it. */
        private final class Blowing implements AutoCloseable {

            private final Thread reader =
                    Thread.ofPlatform().name("bench-storm").unstarted(this::run);
            private volatile boolean over;
            private volatile @Nullable Throwable failure;

            Blowing() {
                reader.start();
            }

            void add(String id) {
                Storm.this.add(id);
            }

            private void run() {
                try {
                    for (List<String> batch = draw(this); !batch.isEmpty(); batch = draw(this)) {
                        redeliver(batch);
                    }
                } catch (InterruptedException | RuntimeException e) {
                    failure = e;
                }
            }

            @Override
            public void close() throws Exception {
                end(this);
                reader.join();
                if (failure != null) {
                    throw new IllegalStateException("the storm failed", failure);
                }
            }
        }
    }
}
