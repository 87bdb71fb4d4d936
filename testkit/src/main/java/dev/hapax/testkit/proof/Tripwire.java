package dev.hapax.testkit.proof;

import dev.hapax.testkit.proof.Point.Kind;
import dev.hapax.testkit.proof.Point.Side;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Numbers the points that one run passes, on the thread that drives it, and says where something goes wrong. What other threads do is passed over: background work must not
 * change the numbers. Used by one thread, but asked by all.
 */
final class Tripwire {

    private static final int POINTS_MAX = 100_000;

    private final Thread driver = Thread.currentThread();
    private final List<Fault> faults;
    private final List<Aim> aims;
    private final List<Point> passed = new ArrayList<>();
    private final List<Point> fired = new ArrayList<>();
    private boolean armed;
    private int likes;

    /** @param aims where the faults are wanted, the first ones at least; the others are found by their numbers */
    Tripwire(List<Fault> faults, List<Aim> aims) {
        this.faults = faults;
        this.aims = aims;
    }

    /**
     * Where a fault is wanted in a run whose numbers are not those of the run that planned it.
     *
     * @param wanted the boundary
     * @param occurrence at which passing of it, counted from the fault before, or from the start
     */
    record Aim(Point wanted, int occurrence) {}

    /** Counts from here on; what a run does before and after, for itself, is no part of the scenario. */
    void arm(boolean on) {
        armed = on;
    }

    boolean isArmedHere() {
        return armed && Thread.currentThread() == driver;
    }

    /** Passes a point; returns what goes wrong there, if anything. */
    @Nullable
    Mode pass(Kind kind, Side side, boolean commits, String label, String what) {
        if (!isArmedHere()) {
            return null;
        }
        int number = passed.size() + 1;
        if (number > POINTS_MAX) {
            throw new IllegalStateException("a run has passed " + POINTS_MAX + " points; it does not come to an end");
        }
        Point point = new Point(number, kind, side, commits, label, what);
        passed.add(point);
        for (int i = 0; i < faults.size(); i++) {
            if (isAt(point, i)) {
                fired.add(point);
                return faults.get(i).mode().nearestAt(point);
            }
        }
        return null;
    }

    private boolean isAt(Point point, int fault) {
        if (fault >= aims.size()) {
            return faults.get(fault).point() == point.number();
        }
        Aim aim = aims.get(fault);
        if (fired.size() != fault || !point.isLike(aim.wanted()) || ++likes != aim.occurrence()) {
            return false;
        }
        likes = 0;
        return true;
    }

    List<Point> passed() {
        return passed;
    }

    /** The points at which something went wrong. */
    List<Point> fired() {
        return fired;
    }
}
