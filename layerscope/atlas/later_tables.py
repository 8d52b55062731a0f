"""The tables that early atlases of this version lack: no reader needs them, and whoever writes one adds them."""

STRATUM = """-- What excites a unit less than its peaks? Images around percentiles of its image maxima, among a seeded
-- sample of the images (statistic "sample"). To be cut from the small whole pictures.
CREATE TABLE IF NOT EXISTS stratum (
    layer         INTEGER NOT NULL REFERENCES layer,
    unit          INTEGER NOT NULL,
    percentile    INTEGER NOT NULL,         -- 99, 95, 90, 50
    rank          INTEGER NOT NULL,         -- 0 is the highest of the row
    value         REAL NOT NULL,            -- the image's maximum
    image         INTEGER NOT NULL REFERENCES image,
    row           INTEGER NOT NULL,         -- in the layer's map
    col           INTEGER NOT NULL,
    tile_top      INTEGER,                  -- what to show of it, input px; NULL until the build has come to it
    tile_left     INTEGER,
    tile_bottom   INTEGER,
    tile_right    INTEGER,
    source_top    INTEGER,                  -- the same on the source picture, source px
    source_left   INTEGER,
    source_bottom INTEGER,
    source_right  INTEGER,
    PRIMARY KEY (layer, unit, percentile, rank)
) STRICT, WITHOUT ROWID;
"""
NEIGHBOUR = """-- Which units of its layer go with a unit? By correlation of image maxima over the same sample.
CREATE TABLE IF NOT EXISTS neighbour (
    layer       INTEGER NOT NULL REFERENCES layer,
    unit        INTEGER NOT NULL,
    rank        INTEGER NOT NULL,           -- 0 is the highest
    other       INTEGER NOT NULL,           -- a unit of the same layer
    correlation REAL NOT NULL,              -- Pearson's, 0.2..1; from 0.95 on a near duplicate
    PRIMARY KEY (layer, unit, rank)
) STRICT, WITHOUT ROWID;
"""
MADE_OF = """-- What are a unit's peaks made of, as an earlier layer sees it? Shares of their value, means over
-- the peaks; units, constants and past are 1 together, but for the rest.
CREATE TABLE IF NOT EXISTS made_of (
    layer     INTEGER NOT NULL REFERENCES layer,
    unit      INTEGER NOT NULL,
    earlier   INTEGER NOT NULL REFERENCES layer,
    peaks     INTEGER NOT NULL,             -- how many were shared out
    units     REAL NOT NULL,                -- the share of all units of the earlier layer
    constants REAL NOT NULL,                -- ... of biases and other constants between the layers
    past      REAL NOT NULL,                -- ... of what comes by ways past the earlier layer
    rest      REAL NOT NULL,                -- the largest share of a peak that rounding leaves open
    PRIMARY KEY (layer, unit, earlier)
) STRICT, WITHOUT ROWID;
"""
SHARE = """-- ... and of which units? Those of the highest share (8) and of the lowest below zero (4).
CREATE TABLE IF NOT EXISTS share (
    layer   INTEGER NOT NULL REFERENCES layer,
    unit    INTEGER NOT NULL,
    earlier INTEGER NOT NULL REFERENCES layer,
    rank    INTEGER NOT NULL,               -- the highest share is 0; those below zero follow, the lowest first
    other   INTEGER NOT NULL,               -- a unit of the earlier layer
    share   REAL NOT NULL,                  -- of the value, the mean over the peaks
    spread  REAL NOT NULL,                  -- its standard deviation over the peaks
    row     INTEGER NOT NULL,               -- where in the earlier layer's map the most of it comes from, in the
    col     INTEGER NOT NULL,               -- image of the highest peak
    PRIMARY KEY (layer, unit, earlier, rank)
) STRICT, WITHOUT ROWID;
"""
SHARE_BY_OTHER = """-- ... and for which units does a unit count?
CREATE INDEX IF NOT EXISTS share_by_other ON share (earlier, other, layer);
"""
KEPT = """-- What do the pixels that a method marks keep of a unit's own activation, at its first peak? Shares of it.
CREATE TABLE IF NOT EXISTS kept (
    layer  INTEGER NOT NULL REFERENCES layer,
    unit   INTEGER NOT NULL,
    method TEXT NOT NULL,
    own    REAL NOT NULL,                   -- where the 15 % of the field that it marks most are kept, 0..1 and above
    random REAL NOT NULL,                   -- where as many random px are
    PRIMARY KEY (layer, unit, method)
) STRICT, WITHOUT ROWID;
"""
USED_FOR = """-- Which classes does a unit speak for, and against? Of a sample of the images (statistic "use").
CREATE TABLE IF NOT EXISTS used_for (
    layer  INTEGER NOT NULL REFERENCES layer,
    unit   INTEGER NOT NULL,
    rank   INTEGER NOT NULL,                -- the highest amount is 0; those below zero follow, the lowest first
    output INTEGER NOT NULL,                -- the class's place among the network's outputs
    name   TEXT NOT NULL,                   -- the class; its place where no name is known
    amount REAL NOT NULL,                   -- of the class's score, the mean over its images
    images INTEGER NOT NULL,                -- how many these are
    PRIMARY KEY (layer, unit, rank)
) STRICT, WITHOUT ROWID;
"""
LABEL = """-- What does a unit detect, by the labels of images alone? (statistic "labels" tells how it was measured)
CREATE TABLE IF NOT EXISTS label (
    layer  INTEGER NOT NULL REFERENCES layer,
    unit   INTEGER NOT NULL,
    rank   INTEGER NOT NULL,                -- 0 is the first; a compound that names the unit comes before its labels
    form   TEXT NOT NULL,                   -- label, or, not
    label  TEXT NOT NULL,                   -- a label, "A or B", or "A, not B"
    level  INTEGER NOT NULL,                -- in the hierarchy, 1 is the highest
    auc    REAL NOT NULL,                   -- share of pairs in which the label's image excites the unit more, 0..1
    z      REAL NOT NULL,                   -- standard deviations above chance
    p      REAL NOT NULL,                   -- one-sided, times the number of labels tried
    images INTEGER NOT NULL,                -- that carry the label
    named  INTEGER NOT NULL,                -- 1 where the unit is named by it
    PRIMARY KEY (layer, unit, rank)
) STRICT, WITHOUT ROWID;
"""
MISFIT = """-- Which images do not fit their labels? (statistic "misfits" tells how good the list is)
CREATE TABLE IF NOT EXISTS misfit (
    rank   INTEGER PRIMARY KEY,             -- 0 fits least
    image  TEXT NOT NULL,                   -- as the images that were labelled call it; the atlas need not hold it
    label  TEXT NOT NULL,
    other  TEXT NOT NULL,                   -- the label whose units speak for the image most
    score  REAL NOT NULL,                   -- others minus own
    own    REAL NOT NULL,                   -- how much the label's units speak for it, nats
    others REAL NOT NULL                    -- how much those of the other label do
) STRICT;
"""
CONCEPT_CATEGORY = """-- Under which category do the masks of photographs list a concept? By the rows of concept.
CREATE TABLE IF NOT EXISTS concept_category (
    layer    INTEGER NOT NULL REFERENCES layer,
    unit     INTEGER NOT NULL,
    measure  TEXT NOT NULL,                 -- above chance, bau
    rank     INTEGER NOT NULL,
    category TEXT NOT NULL,                 -- as the masks' form calls it: object, animal, stuff, ...
    PRIMARY KEY (layer, unit, measure, rank)
) STRICT, WITHOUT ROWID;
"""

WORD = """-- What does a unit detect, by a list of words? (statistic "words" tells how it was measured)
CREATE TABLE IF NOT EXISTS word (
    layer  INTEGER NOT NULL REFERENCES layer,
    unit   INTEGER NOT NULL,
    rank   INTEGER NOT NULL,                -- 0 is the first
    word   TEXT NOT NULL,
    share  REAL NOT NULL,                   -- of the images, those nearest to the word that it is measured on
    auc    REAL NOT NULL,                   -- share of pairs in which one of these excites the unit more, 0..1
    z      REAL NOT NULL,                   -- standard deviations above chance
    p      REAL NOT NULL,                   -- one-sided, times the number of words and shares tried
    images INTEGER NOT NULL,                -- how many the share is
    named  INTEGER NOT NULL,                -- 1 where the unit is named by it
    PRIMARY KEY (layer, unit, rank)
) STRICT, WITHOUT ROWID;
"""

INTERVENTION = """-- Does a unit follow when a concept is taken out of drawn pictures, and when it is shown alone?
-- (statistic "intervention" tells how it was measured)
CREATE TABLE IF NOT EXISTS intervention (
    layer         INTEGER NOT NULL REFERENCES layer,
    unit          INTEGER NOT NULL,
    rank          INTEGER NOT NULL,         -- first the concepts that rank highest by overlap, then others that passed
    concept       TEXT NOT NULL,
    level         INTEGER NOT NULL,         -- 1 (strokes, colours) and up
    part          TEXT NOT NULL,            -- of it that takes as much, where both passed all; '' without one
    gone          REAL,                     -- share of the activation that goes with it; NULL where no picture fits
    gone_low      REAL,                     -- its 95 % interval
    gone_high     REAL,
    control       REAL,                     -- the same share with something else of its size
    pictures      INTEGER,                  -- that hold the concept and excite the unit
    more          INTEGER,                  -- of these, in how many the concept took more ...
    untied        INTEGER,                  -- ... of those where it took more or less
    gone_p        REAL,                     -- of the sign test, corrected for the concepts
    reached       REAL,                     -- share of the ninth peak that it reaches alone; NULL for too few drawings
    reached_low   REAL,                     -- its 95 % interval
    reached_high  REAL,
    drawn         INTEGER,                  -- pictures of it alone
    rival         TEXT,                     -- the other concept that comes nearest to it alone; '' without any
    rival_reached REAL,
    reached_p     REAL,                     -- of the rank test against the rival, corrected for the concepts
    PRIMARY KEY (layer, unit, rank)
) STRICT, WITHOUT ROWID;
"""
PEAK_KIND = """-- What is drawn where a unit's peaks are?
CREATE TABLE IF NOT EXISTS peak_kind (
    layer INTEGER NOT NULL REFERENCES layer,
    unit  INTEGER NOT NULL,
    kind  TEXT NOT NULL,                    -- the outermost thing in the middle of the field; ground for none
    peaks INTEGER NOT NULL,                 -- how many of its peaks
    PRIMARY KEY (layer, unit, kind)
) STRICT, WITHOUT ROWID;
"""

LATER_TABLES = (
    STRATUM, NEIGHBOUR, MADE_OF, SHARE, SHARE_BY_OTHER, KEPT, USED_FOR, LABEL, MISFIT, WORD,
    CONCEPT_CATEGORY, INTERVENTION, PEAK_KIND,
)  # fmt: skip
