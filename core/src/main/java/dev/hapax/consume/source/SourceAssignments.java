package dev.hapax.consume.source;

import java.util.Collection;

/** Is told which partitions this process is to read. Called by the session's thread, inside {@link SourceSession#poll} or {@link SourceSession#close}. */
public interface SourceAssignments {

    /** These as well, from now on. */
    void assigned(Collection<SourcePartition> partitions);

    /** These no longer, after this call returns. */
    void revoked(Collection<SourcePartition> partitions);

    /** These no longer, and another may have had them for a while. */
    void lost(Collection<SourcePartition> partitions);
}
