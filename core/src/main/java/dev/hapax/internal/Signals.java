package dev.hapax.internal;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Wakes the readers of this process after a commit that published. Other processes find it by polling. Safe for use by many threads. */
public final class Signals {

    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();

    public void published() {
        for (Runnable listener : listeners) {
            listener.run();
        }
    }

    public void add(Runnable listener) {
        listeners.add(listener);
    }

    public void remove(Runnable listener) {
        listeners.remove(listener);
    }
}
