package dev.hapax.once;

/** What became of one operation. */
public enum Verdict {
    /** New: its effect was applied by this call. */
    APPLIED,
    /** Seen before: this call did nothing. */
    REPLAYED,
    /** Seen before with another request ({@code matching}): this call did nothing. Only in a batch; a single call throws instead. */
    CONFLICTING,
    /** Older than its scope's window: this call did nothing. Only in a batch; a single call throws instead. */
    TOO_LATE,
    /** Its time lies in the future: this call did nothing. Only in a batch; a single call throws instead. */
    TOO_EARLY
}
