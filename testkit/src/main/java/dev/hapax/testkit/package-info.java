/**
 * Databases, proxies and child processes that can be made to fail on purpose, so that a test can show what survives.
 *
 * <p>All of it listens on the loopback interface only and leaves no process behind when it is closed.
 */
@NullMarked
package dev.hapax.testkit;

import org.jspecify.annotations.NullMarked;
