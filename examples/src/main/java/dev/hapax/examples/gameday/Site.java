package dev.hapax.examples.gameday;

import dev.hapax.examples.stage.Fleet;
import dev.hapax.examples.stage.ShopDatabase;
import dev.hapax.testkit.LimitedDisk;
import org.jspecify.annotations.Nullable;

/**
 * What faults act on: the running system.
 *
 * @param disk where the database has its files, if that can be made full
 */
record Site(
        ShopDatabase database,
        Network network,
        Fleet fleet,
        Customer customer,
        @Nullable LimitedDisk disk) {}
