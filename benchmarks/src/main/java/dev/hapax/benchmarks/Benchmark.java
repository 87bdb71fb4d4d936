package dev.hapax.benchmarks;

/** One thing that is measured, beside what it is compared with. */
interface Benchmark {

    /** What it is called on the command line. */
    String name();

    /** One line for {@code bench list}. */
    String about();

    /**
     * Measures, checks its own rows, and writes into the report.
     *
     * @throws WrongRows if the rows in the database are not those that were counted; no figure of this run means anything then
     */
    void run(Plan plan, Report report) throws Exception;
}
