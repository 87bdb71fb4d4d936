package dev.hapax.internal;

import dev.hapax.internal.log.Lanes;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Wakes the readers of this process. Safe for use by many threads. */
public final class Signals {

    private final List<Listener> listeners = new CopyOnWriteArrayList<>();

    /** A reader that sleeps. */
    public interface Listener {

        /**
         * There may be something to read.
         *
         * @param lanes in which
         * @param there whether it can be found now; else soon, perhaps, once its transaction has ended
         */
        void wake(int lanes, boolean there);
    }

    /**
     * A transaction of this process that published has committed.
     *
     * @param lanes into which
     */
    public void published(int lanes) {
        if (lanes != Lanes.NONE) {
            wake(lanes, true);
        }
    }

    /** Something has happened elsewhere: numbers of these lanes were drawn, or somebody was paused or resumed. */
    public void stirred(int lanes) {
        wake(lanes, false);
    }

    private void wake(int lanes, boolean there) {
        for (Listener listener : listeners) {
            listener.wake(lanes, there);
        }
    }

    /** Whether anybody would be woken. */
    public boolean isHeard() {
        return !listeners.isEmpty();
    }

    public void add(Listener listener) {
        listeners.add(listener);
    }

    public void remove(Listener listener) {
        listeners.remove(listener);
    }
}
