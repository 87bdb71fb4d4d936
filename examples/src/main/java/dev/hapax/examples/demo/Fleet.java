package dev.hapax.examples.demo;

import dev.hapax.examples.shop.BillingWorker;
import dev.hapax.examples.shop.ShopServer;
import dev.hapax.testkit.ChildJvm;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The shop's and billing's processes: started, killed, and started again until the fleet is stopped. A process that ends of its own accord is started again too, a
 * few times.
 *
 * <p>Thread-safe.
 */
final class Fleet implements AutoCloseable {
    private static final Duration START_TIMEOUT = Duration.ofSeconds(60);
    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(20);
    private static final Duration FOREVER = Duration.ofDays(365);
    private static final long END_GRACE_MILLIS = 300;
    private static final int ACCIDENTS_MAX = 3;
    private static final int HEAP_MEBIBYTES = 96;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final List<Slot> slots = new ArrayList<>();
    private final String[] arguments;
    private final Consumer<String> notes;
    private @Nullable DemoException failure;
    private int accidents;
    private boolean closing;

    /** @param notes gets what a person should know, a line at a time */
    Fleet(String jdbcUrl, boolean naive, Consumer<String> notes) {
        this.arguments = naive ? new String[] {jdbcUrl, "--naive"} : new String[] {jdbcUrl};
        this.notes = notes;
    }

    /** Where one process stands, over all its lives. Guarded by the fleet's lock. */
    private static final class Slot {
        final String name;
        final boolean shop;

        @Nullable
        ChildJvm child;

        @Nullable
        URI address;

        boolean atWork;
        boolean killed;

        Slot(String name, boolean shop) {
            this.name = name;
            this.shop = shop;
        }
    }

    /** Starts so many processes of each kind; doesn't wait for them. */
    void start(int workers) {
        lock.lock();
        try {
            for (int i = 1; i <= workers; i++) {
                slots.add(new Slot("shop-" + i, true));
                slots.add(new Slot("billing-" + i, false));
            }
            for (Slot slot : slots) {
                Thread.ofPlatform().daemon().name("keep-" + slot.name).start(() -> keep(slot));
            }
        } finally {
            lock.unlock();
        }
    }

    private void keep(Slot slot) {
        try {
            for (ChildJvm child = launch(slot); child != null; child = launch(slot)) {
                watch(slot, child);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException trouble) {
            fail(new DemoException(slot.name + " can't be run: " + trouble.getMessage(), trouble));
        }
    }

    /** Under the lock, so that none is started behind the back of {@link #close()}. */
    private @Nullable ChildJvm launch(Slot slot) {
        lock.lock();
        try {
            if (closing || failure != null) {
                return null;
            }
            ChildJvm child = ChildJvm.of(slot.shop ? ShopServer.class : BillingWorker.class)
                    .name(slot.name)
                    .heap(HEAP_MEBIBYTES)
                    .arguments(arguments)
                    .start();
            slot.child = child;
            slot.killed = false;
            return child;
        } finally {
            lock.unlock();
        }
    }

    private void watch(Slot slot, ChildJvm child) throws InterruptedException {
        String trouble = "";
        try {
            String ready = child.awaitLine("ready ", START_TIMEOUT);
            atWork(slot, ready.substring("ready ".length()));
            child.awaitExit(FOREVER);
        } catch (TimeoutException notReady) {
            trouble = String.valueOf(notReady.getMessage());
            child.kill9();
        }
        gone(slot, child, trouble);
    }

    private void atWork(Slot slot, String what) {
        lock.lock();
        try {
            slot.address = slot.shop ? URI.create(what) : null;
            slot.atWork = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void gone(Slot slot, ChildJvm child, String trouble) throws InterruptedException {
        lock.lock();
        try {
            slot.atWork = false;
            long grace = TimeUnit.MILLISECONDS.toNanos(END_GRACE_MILLIS);
            // A Ctrl-C reaches the children first; this process hears of it a moment later.
            while (!closing && !slot.killed && grace > 0) {
                grace = changed.awaitNanos(grace);
            }
            if (closing || slot.killed) {
                return;
            }
            accidents++;
            List<String> said = child.lines();
            String last = trouble.isEmpty()
                    ? String.join("\n  ", said.subList(Math.max(0, said.size() - 10), said.size()))
                    : trouble;
            if (accidents > ACCIDENTS_MAX) {
                failure = new DemoException(slot.name + " ended by itself; the last it said:\n  " + last, null);
                changed.signalAll();
            } else {
                notes.accept(slot.name + " ended by itself and is started again; the last it said:\n  " + last);
            }
        } finally {
            lock.unlock();
        }
    }

    private void fail(DemoException cause) {
        lock.lock();
        try {
            failure = failure == null ? cause : failure;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Where a shop process answers now; waits for one to come (back).
     *
     * @param pick chooses among them
     */
    URI shop(int pick) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            URI address = pick(true, pick).address;
            if (address == null) {
                throw new IllegalStateException("a shop process is at work without an address");
            }
            return address;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Kills a process that is at work, with SIGKILL; waits for one to come (back).
     *
     * @param pick chooses among them
     * @return its name
     */
    String kill(boolean shop, int pick) throws InterruptedException {
        ChildJvm victim;
        String name;
        lock.lockInterruptibly();
        try {
            Slot slot = pick(shop, pick);
            slot.killed = true;
            slot.atWork = false;
            victim = slot.child;
            name = slot.name;
        } finally {
            lock.unlock();
        }
        if (victim != null) {
            victim.kill9();
        }
        return name;
    }

    private Slot pick(boolean shop, int pick) throws InterruptedException {
        long left = START_TIMEOUT.toNanos();
        while (true) {
            if (failure != null) {
                throw failure;
            }
            List<Slot> atWork = slots.stream()
                    .filter(slot -> slot.shop == shop && slot.atWork)
                    .toList();
            if (!atWork.isEmpty()) {
                return atWork.get(Math.floorMod(pick, atWork.size()));
            }
            if (left <= 0) {
                throw new DemoException(
                        "no " + (shop ? "shop" : "billing") + " process has come up within " + START_TIMEOUT, null);
            }
            left = changed.awaitNanos(left);
        }
    }

    /** @throws DemoException if processes end by themselves again and again */
    void check() {
        lock.lock();
        try {
            if (failure != null) {
                throw failure;
            }
        } finally {
            lock.unlock();
        }
    }

    /** From now on nothing is started any more, and no death is an accident. */
    void noMore() {
        lock.lock();
        try {
            closing = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Ends all processes in order: what they have begun they finish. */
    @Override
    public void close() {
        noMore();
        List<ChildJvm> children = new ArrayList<>();
        lock.lock();
        try {
            for (Slot slot : slots) {
                if (slot.child != null) {
                    children.add(slot.child);
                }
            }
        } finally {
            lock.unlock();
        }
        children.forEach(ChildJvm::terminate);
        for (ChildJvm child : children) {
            try {
                child.awaitExit(STOP_TIMEOUT);
            } catch (TimeoutException stubborn) {
                notes.accept(child + " did not end within " + STOP_TIMEOUT + " and is killed");
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            }
            child.close();
        }
    }
}
