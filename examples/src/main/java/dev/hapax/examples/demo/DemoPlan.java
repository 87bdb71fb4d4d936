package dev.hapax.examples.demo;

import dev.hapax.examples.stage.Load;
import dev.hapax.examples.stage.OrderFile;

/**
 * What a run of the demo does.
 *
 * @param orders what is ordered
 * @param load how the client behaves
 * @param workers how many shop processes, and how many billing processes; 1 to 8
 * @param kills how many processes are killed while they work; 0 to 1000
 * @param bank who pays, and how it behaves
 * @param staging what they stand on
 */
record DemoPlan(OrderFile orders, Load load, int workers, int kills, Bank bank, Staging staging) {

    /** The bank that billing calls. */
    enum Bank {
        /** Two calls with one key have one effect there. */
        KEYED,
        /** It ignores keys, and can be asked. */
        ASKED,
        /** Nobody pays. */
        NONE
    }

    int lines() {
        return orders.size();
    }
}
