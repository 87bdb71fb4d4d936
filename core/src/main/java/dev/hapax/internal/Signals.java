package dev.hapax.internal;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Wakes the readers of this process. Safe for use by many threads. */
public final class Signals {

    private final List<Listener> listeners = new CopyOnWriteArrayList<>();

    /** A reader that sleeps. */
    public interface Listener {

        /** @param there whether what it is woken for can be found now; else soon, perhaps, once its transaction has ended */
        void wake(boolean there);
    }

    /** A transaction of this process that published has committed. */
    public void published() {
        wake(true);
    }

    /** Something has happened elsewhere: numbers of the log were drawn, or somebody was paused or resumed. */
    public void stirred() {
        wake(false);
    }

    private void wake(boolean there) {
        for (Listener listener : listeners) {
            listener.wake(there);
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
