package dev.hapax.examples.stage;

import dev.hapax.examples.shop.BankAddress;
import dev.hapax.examples.shop.BrokerAccess;
import dev.hapax.examples.shop.Worker;
import dev.hapax.testkit.ChildJvm;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The shop's, billing's and the relay's processes: started, killed, and started again until the fleet is stopped. A process that ends of its own accord is started again too, a
 * few times.
 *
 * <p>Thread-safe.
 */
public final class Fleet implements AutoCloseable {
    private static final Duration START_TIMEOUT = Duration.ofSeconds(60);
    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(20);
    private static final Duration FOREVER = Duration.ofDays(365);
    private static final long END_GRACE_MILLIS = 300;
    private static final int ACCIDENTS_MAX = 3;
    private static final int HEAP_MEBIBYTES = 96;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final List<Slot> slots = new ArrayList<>();
    private final UnaryOperator<String> jdbcUrl;
    private final boolean naive;
    private final Consumer<String> notes;
    private volatile @Nullable OutputFolder output;
    private volatile @Nullable BankAddress bank;
    private volatile @Nullable BrokerAccess broker;
    private @Nullable RunException failure;
    private int accidents;
    private boolean closing;

    /**
     * A fleet without processes.
     *
     * @param jdbcUrl where the process of a name finds its database
     * @param naive whether they do without Hapax
     * @param notes gets what a person should know, a line at a time
     */
    public Fleet(UnaryOperator<String> jdbcUrl, boolean naive, Consumer<String> notes) {
        this.jdbcUrl = jdbcUrl;
        this.naive = naive;
        this.notes = notes;
    }

    /** Where one process stands, over all its lives. Guarded by the fleet's lock. */
    private static final class Slot {
        final String name;
        final Role role;

        @Nullable
        ChildJvm child;

        @Nullable
        URI address;

        /** How wrong the clock of its next process is. */
        Duration clockOffset = Duration.ZERO;

        boolean atWork;
        boolean killed;

        Slot(String name, Role role) {
            this.name = name;
            this.role = role;
        }
    }

    /**
     * Keeps what processes say that are started from now on, in a file for each.
     *
     * @param folder where; created if it isn't there
     */
    public void keepOutput(Path folder) {
        output = new OutputFolder(folder);
    }

    /**
     * Has invoices paid, by processes that are started from now on.
     *
     * @param address the bank
     */
    public void payAt(BankAddress address) {
        bank = address;
    }

    /**
     * Puts a broker between shop and billing, for the processes that are started from now on; {@link #start} starts a relay as well.
     *
     * @param access how to reach it
     */
    public void publishTo(BrokerAccess access) {
        broker = access;
    }

    /**
     * Starts processes; doesn't wait for them.
     *
     * @param workers how many of shop and of billing
     */
    public void start(int workers) {
        lock.lock();
        try {
            for (int i = 1; i <= workers; i++) {
                slots.add(new Slot("shop-" + i, Role.SHOP));
                slots.add(new Slot("billing-" + i, Role.BILLING));
            }
            if (broker != null) {
                slots.add(new Slot("relay", Role.RELAY));
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
            fail(new RunException(slot.name + " can't be run: " + trouble.getMessage(), trouble));
        }
    }

    /** Under the lock, so that none is started behind the back of {@link #close()}. */
    private @Nullable ChildJvm launch(Slot slot) {
        lock.lock();
        try {
            if (closing || failure != null) {
                return null;
            }
            Worker worker = new Worker(jdbcUrl.apply(slot.name), naive, slot.clockOffset, bank, broker);
            OutputFolder folder = output;
            ChildJvm child = ChildJvm.of(slot.role.main)
                    .name(slot.name)
                    .heap(HEAP_MEBIBYTES)
                    .arguments(worker.arguments())
                    .onLine(folder == null ? line -> {} : line -> folder.add(slot.name, line))
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
            slot.address = slot.role == Role.SHOP ? URI.create(what) : null;
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
                failure = new RunException(slot.name + " ended by itself; the last it said:\n  " + last, null);
                changed.signalAll();
            } else {
                notes.accept(slot.name + " ended by itself and is started again; the last it said:\n  " + last);
            }
        } finally {
            lock.unlock();
        }
    }

    private void fail(RunException cause) {
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
     * @return its address
     * @throws RunException if none comes within a minute, or processes end by themselves again and again
     * @throws InterruptedException if this thread is interrupted
     */
    public URI shop(int pick) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            URI address = pick(Role.SHOP, pick).address;
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
     * @param role which kind of process it hits
     * @param pick chooses among them
     * @return its name
     * @throws RunException as {@link #shop}
     * @throws InterruptedException if this thread is interrupted
     */
    public String kill(Role role, int pick) throws InterruptedException {
        Slot slot;
        ChildJvm victim;
        lock.lockInterruptibly();
        try {
            slot = pick(role, pick);
            victim = leaving(slot);
        } finally {
            lock.unlock();
        }
        victim.kill9();
        return slot.name;
    }

    /**
     * Ends a process in order and starts it again on a machine whose clock is wrong.
     *
     * @param name a process of this fleet
     * @param offset how far the clock is ahead; zero puts it right
     * @throws InterruptedException if this thread is interrupted
     */
    public void restartWithClock(String name, Duration offset) throws InterruptedException {
        ChildJvm child;
        lock.lockInterruptibly();
        try {
            Slot slot = byName(name);
            slot.clockOffset = offset;
            child = leaving(slot);
        } finally {
            lock.unlock();
        }
        child.terminate();
        awaitEnd(child);
    }

    /**
     * Freezes a process with SIGSTOP where it stands. It is asked for as before: nobody has been told.
     *
     * @param name a process of this fleet
     * @return wakes it (SIGCONT) when it is closed
     */
    public Frozen freeze(String name) {
        ChildJvm child;
        lock.lock();
        try {
            child = Objects.requireNonNull(byName(name).child);
        } finally {
            lock.unlock();
        }
        child.sigstop();
        return child::sigcont;
    }

    /**
     * Waits until all processes are at work.
     *
     * @throws RunException if they don't come up within a minute
     * @throws InterruptedException if this thread is interrupted
     */
    public void awaitAll() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            for (Slot slot : slots) {
                pick(one -> one == slot, 0, slot.name);
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits until a process is at work.
     *
     * @param name a process of this fleet
     * @throws RunException if it doesn't come up within a minute
     * @throws InterruptedException if this thread is interrupted
     */
    public void awaitAtWork(String name) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            pick(slot -> slot.name.equals(name), 0, name);
        } finally {
            lock.unlock();
        }
    }

    /** Its end is no accident. */
    private static ChildJvm leaving(Slot slot) {
        slot.killed = true;
        slot.atWork = false;
        return Objects.requireNonNull(slot.child);
    }

    private Slot byName(String name) {
        return slots.stream()
                .filter(slot -> slot.name.equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no process " + name));
    }

    /** A process that stands still. */
    public interface Frozen extends AutoCloseable {
        @Override
        void close();
    }

    /**
     * The name of a process that is at work; waits for one to come (back).
     *
     * @param role which kind of process it is to be
     * @param pick chooses among them
     * @return its name, the same for all that follow it in its place
     * @throws RunException as {@link #shop}
     * @throws InterruptedException if this thread is interrupted
     */
    public String atWork(Role role, int pick) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            return pick(role, pick).name;
        } finally {
            lock.unlock();
        }
    }

    private Slot pick(Role role, int pick) throws InterruptedException {
        return pick(slot -> slot.role == role, pick, role + " process");
    }

    private Slot pick(Predicate<Slot> wanted, int pick, String what) throws InterruptedException {
        long left = START_TIMEOUT.toNanos();
        while (true) {
            if (failure != null) {
                throw failure;
            }
            List<Slot> atWork = slots.stream()
                    .filter(slot -> slot.atWork && wanted.test(slot))
                    .toList();
            if (!atWork.isEmpty()) {
                return atWork.get(Math.floorMod(pick, atWork.size()));
            }
            if (left <= 0) {
                throw new RunException("no " + what + " has come up within " + START_TIMEOUT, null);
            }
            left = changed.awaitNanos(left);
        }
    }

    /**
     * Looks whether it can go on.
     *
     * @throws RunException if processes end by themselves again and again
     */
    public void check() {
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
    public void noMore() {
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
                awaitEnd(child);
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            }
            child.close();
        }
    }

    private void awaitEnd(ChildJvm child) throws InterruptedException {
        try {
            child.awaitExit(STOP_TIMEOUT);
        } catch (TimeoutException stubborn) {
            notes.accept(child + " did not end within " + STOP_TIMEOUT + " and is killed");
            child.kill9();
        }
    }
}
