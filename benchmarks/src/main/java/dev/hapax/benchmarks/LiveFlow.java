package dev.hapax.benchmarks;

import dev.hapax.consume.Consumer;
import dev.hapax.consume.Start;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Producers at full speed and a reader beside them. A slice ends when the last message of its producers has arrived. */
final class LiveFlow {

    private static final Duration ARRIVES_WITHIN = Duration.ofSeconds(60);
    private static final int MESSAGES_MAX = 20_000_000;

    private final Lab lab;
    private final Crew producers;
    private final Messages messages;

    /** How long after its producers' end a slice's last message arrived, in milliseconds. */
    final List<Double> tails = new ArrayList<>();

    /** What the producers alone did in each round's slices, and in what time. */
    private Cell.Done produced = Cell.Done.NOTHING;

    LiveFlow(Lab lab, Crew producers) {
        this.lab = lab;
        this.producers = producers;
        this.messages = new Messages(lab);
    }

    /** Takes and forgets what was produced since the last call. */
    Cell.Done takeProduced() {
        Cell.Done taken = produced;
        produced = Cell.Done.NOTHING;
        return taken;
    }

    private Cell.Done finish(Cell.Done work, long expected, Seen seen) throws InterruptedException {
        long ended = System.nanoTime();
        Waiting.until(ARRIVES_WITHIN, "the messages of a slice arrive", () -> seen.count() >= expected);
        long tail = System.nanoTime() - ended;
        tails.add(tail / 1e6);
        produced = produced.plus(work);
        return new Cell.Done(work.operations(), work.nanos() + tail);
    }

    /** By Hapax: once, publish, consumer. */
    Cell byHapax(String name) throws Exception {
        return new HapaxCell(name);
    }

    /** By hand: two INSERTs and an outbox, poller. */
    Cell byHand(String name) throws Exception {
        return new HandCell(name);
    }

    private final class HapaxCell extends Cell {

        private final Seen seen = new Seen(MESSAGES_MAX);
        private final Consumer consumer;
        private final EffectCount effects;

        private HapaxCell(String name) throws Exception {
            super(name);
            this.effects = new EffectCount(lab, name);
            this.consumer = Messages.consumer(lab.hapax, name, seen::add)
                    .startFrom(Start.NOW)
                    .start();
            Messages.awaitStarted(lab, name);
        }

        @Override
        Done run(Duration slice) throws Exception {
            Done work = producers.run(slice, () -> messages.once(name, Ids.next()) >= 0 ? 1 : 0);
            return finish(work, messages.published(), seen);
        }

        @Override
        void check(long operations) throws Exception {
            WrongRows.unlessEqual("messages delivered by " + name, operations, seen.count());
            WrongRows.unlessEqual("messages delivered twice by " + name, 0, seen.twice());
            WrongRows.unlessEqual(
                    "messages of hapax in the log",
                    operations,
                    lab.number("SELECT count(*) FROM hapax.log WHERE topic = '" + Messages.TOPIC + "' AND producer = '"
                            + Lab.SERVICE + "'"));
            effects.check(operations);
            Messages.checkAtTheEnd(lab, consumer.name());
        }
    }

    private final class HandCell extends Cell {

        private final Seen seen = new Seen(MESSAGES_MAX);
        private final OutboxPoller poller;
        private final EffectCount effects;
        private long skipped;

        private HandCell(String name) throws Exception {
            super(name);
            this.effects = new EffectCount(lab, name);
            this.poller = new OutboxPoller(lab, name, body -> seen.add(Messages.number(body)));
            poller.pause(true);
            poller.start();
        }

        @Override
        Done run(Duration slice) throws Exception {
            poller.pause(false);
            Done work = producers.run(slice, () -> messages.byHand(name, Ids.next(), messages::outbox) >= 0 ? 1 : 0);
            long ended = System.nanoTime();
            long last = lab.number("SELECT max(number) FROM bench.outbox");
            Waiting.until(
                    ARRIVES_WITHIN,
                    "the poller by hand reaches the end",
                    () -> lab.number("SELECT number FROM bench.position WHERE reader = '" + name + "'") >= last);
            long tail = System.nanoTime() - ended;
            poller.pause(true);
            // Those that it has skipped never come.
            skipped = messages.publishedByHand() - seen.count();
            produced = produced.plus(work);
            return new Done(work.operations(), work.nanos() + tail);
        }

        @Override
        void check(long operations) throws Exception {
            effects.check(operations);
            WrongRows.unlessEqual("read and skipped by hand", operations, seen.count() + skipped);
        }
    }

    /** How many messages the poller by hand has never seen. */
    static long skippedBy(Cell byHand) {
        return ((HandCell) byHand).skipped;
    }
}
