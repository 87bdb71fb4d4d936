package dev.hapax.examples.shop;

/** What billing does with the messages of the shop, in threads of its own, until it is closed. */
interface Billing extends AutoCloseable {

    /** Finishes what it has begun, then stops. */
    @Override
    void close();
}
