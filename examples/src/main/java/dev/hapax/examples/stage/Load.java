package dev.hapax.examples.stage;

/**
 * How the client behaves.
 *
 * @param repeats the share of lines that are sent once more than they need be; 0 to 1
 * @param rate the most lines a second; 0 for as fast as possible
 * @param seed decides which lines are repeated and how, the keys, and when what is done to the processes
 */
public record Load(double repeats, int rate, long seed) {}
