/** JMS brokers in two-phase commits, where the service has Jakarta Messaging. */
@NullMarked
package dev.hapax.jms;

import org.jspecify.annotations.NullMarked;
