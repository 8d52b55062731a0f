"""The atlas as tables: one SQLite file, each table the answer to one question.

All tables are STRICT and refer to each other by foreign keys. Pixels are encoded pictures and say their codec in the
row; arrays are raw little-endian bytes whose type and shape the column's comment states.
"""

from layerscope.atlas import later_tables as later

# "LSCP": tells an atlas from any other SQLite file (sqlite.org/pragma.html#pragma_application_id).
APPLICATION_ID = 0x4C534350
VERSION = 1


TABLES = f"""
-- What made this atlas? One row per finished or unfinished run of `build`, newest last.
CREATE TABLE run (
    id          INTEGER PRIMARY KEY,
    network     TEXT NOT NULL,              -- spec, or the class of the traced module
    images      TEXT NOT NULL,              -- the source, in words
    k           INTEGER NOT NULL,           -- peaks kept per unit
    methods     TEXT NOT NULL,              -- JSON list
    views       TEXT NOT NULL,              -- JSON list
    input       TEXT NOT NULL,              -- JSON: the Input record
    settings    TEXT NOT NULL,              -- JSON: every option with its value
    fingerprint TEXT NOT NULL,              -- JSON: graph, weights, input, images, ... -> sha256 or value
    versions    TEXT NOT NULL,              -- JSON: layerscope, torch, python
    started     TEXT NOT NULL,              -- ISO 8601, UTC
    finished    TEXT                        -- NULL while unfinished
) STRICT;

-- Which operations is the network made of?
CREATE TABLE node (
    id     INTEGER PRIMARY KEY,             -- in execution order
    name   TEXT NOT NULL UNIQUE,
    op     TEXT NOT NULL,                   -- the row's name in the operation table
    module TEXT NOT NULL,                   -- innermost module path
    shape  TEXT NOT NULL,                   -- JSON list, without the batch
    args   TEXT NOT NULL                    -- JSON: arguments by name
) STRICT;
CREATE TABLE edge (
    node     INTEGER NOT NULL REFERENCES node,
    position INTEGER NOT NULL,              -- which of the node's inputs
    source   INTEGER NOT NULL REFERENCES node,
    PRIMARY KEY (node, position)
) STRICT, WITHOUT ROWID;

-- Which layers were scanned?
CREATE TABLE layer (
    id         INTEGER PRIMARY KEY,         -- in execution order
    name       TEXT NOT NULL UNIQUE,
    path       TEXT NOT NULL,               -- the node's canonical name
    node       INTEGER NOT NULL REFERENCES node,
    kind       TEXT NOT NULL,
    units      INTEGER NOT NULL,
    map_rows   INTEGER,                     -- NULL for a dense layer
    map_cols   INTEGER,
    field      TEXT NOT NULL,               -- JSON: rows and cols as [size, step, start] (fractions: text), note, ...
    aliases    TEXT NOT NULL,               -- JSON list
    auto       INTEGER NOT NULL,
    rectified  INTEGER NOT NULL,            -- a value of 0 or less is no peak
    tile       INTEGER,                     -- side of the tiles' boxes, input px
    method     TEXT,                        -- the method that its plate shows by default
    method_why TEXT                         -- ... and why
) STRICT;

-- Which images were looked at, and which were not?
CREATE TABLE image (
    id           INTEGER PRIMARY KEY,       -- place in the image order
    source       TEXT NOT NULL,             -- path or key
    sha256       TEXT,                      -- of the encoded bytes
    size         INTEGER,                   -- encoded bytes
    height       INTEGER,                   -- source px, upright
    width        INTEGER,
    label        TEXT,
    skipped      TEXT,                      -- why it was not used; NULL if it was
    duplicate_of INTEGER REFERENCES image
) STRICT;

-- What do the images with peaks or in strata look like, small and whole?
CREATE TABLE picture (
    image  INTEGER PRIMARY KEY REFERENCES image,
    codec  TEXT NOT NULL,
    height INTEGER NOT NULL,                -- of the small picture
    width  INTEGER NOT NULL,
    pixels BLOB NOT NULL
) STRICT;

-- What do the first layer's filters look like?
CREATE TABLE filter (
    layer   INTEGER NOT NULL REFERENCES layer,
    unit    INTEGER NOT NULL,
    shape   TEXT NOT NULL,                  -- JSON [channels, height, width]
    weights BLOB NOT NULL,                  -- float32
    PRIMARY KEY (layer, unit)
) STRICT, WITHOUT ROWID;

-- How does a unit behave over all images?
CREATE TABLE unit (
    layer           INTEGER NOT NULL REFERENCES layer,
    unit            INTEGER NOT NULL,
    mean            REAL NOT NULL,
    std             REAL NOT NULL,
    maximum         REAL NOT NULL,
    images_above    REAL NOT NULL,          -- share of images above zero
    positions_above REAL NOT NULL,          -- share of positions above zero, every fourth batch
    histogram       BLOB NOT NULL,          -- int64 counts between records.HISTOGRAM_EDGES, zlib
    class_means     BLOB NOT NULL,          -- float32 per class (statistic "classes"), zlib; empty without labels
    PRIMARY KEY (layer, unit)
) STRICT;

-- Where does a unit fire most?
CREATE TABLE peak (
    layer         INTEGER NOT NULL REFERENCES layer,
    unit          INTEGER NOT NULL,
    rank          INTEGER NOT NULL,         -- 0 is the highest
    value         REAL NOT NULL,
    image         INTEGER NOT NULL REFERENCES image,
    row           INTEGER NOT NULL,         -- in the layer's map
    col           INTEGER NOT NULL,
    field_top     INTEGER NOT NULL,         -- the receptive field, input px; may cross the border
    field_left    INTEGER NOT NULL,
    field_bottom  INTEGER NOT NULL,
    field_right   INTEGER NOT NULL,
    tile_top      INTEGER,                  -- what the tiles show, input px; NULL until projected
    tile_left     INTEGER,
    tile_bottom   INTEGER,
    tile_right    INTEGER,
    source_top    INTEGER,                  -- the same on the source picture, source px
    source_left   INTEGER,
    source_bottom INTEGER,
    source_right  INTEGER,
    PRIMARY KEY (layer, unit, rank)
) STRICT, WITHOUT ROWID;
CREATE INDEX peak_by_image ON peak (image, layer, unit);

{later.STRATUM}
{later.NEIGHBOUR}
{later.MADE_OF}
{later.SHARE}
{later.SHARE_BY_OTHER}
{later.KEPT}
{later.USED_FOR}
-- How do a unit's patches and projections look? The tiles of one kind, method and view in one picture.
CREATE TABLE sheet (
    id     INTEGER PRIMARY KEY,
    layer  INTEGER NOT NULL REFERENCES layer,
    unit   INTEGER NOT NULL,
    kind   TEXT NOT NULL,                   -- patches, projections
    method TEXT NOT NULL,                   -- '' for patches
    view   TEXT NOT NULL,                   -- '' for patches
    scales BLOB NOT NULL,                   -- float32 per tile: the signal shown as full white; 0 is no signal
    codec  TEXT NOT NULL,
    pixels BLOB NOT NULL,
    UNIQUE (layer, unit, kind, method, view)
) STRICT;

-- The exact signals, when --keep-signal asked for them.
CREATE TABLE signal (
    layer  INTEGER NOT NULL REFERENCES layer,
    unit   INTEGER NOT NULL,
    rank   INTEGER NOT NULL,
    method TEXT NOT NULL,
    top    INTEGER NOT NULL,                -- input px
    left   INTEGER NOT NULL,
    shape  TEXT NOT NULL,                   -- JSON [channels, height, width]
    scale  REAL NOT NULL,                   -- signal = stored float16 * scale
    pixels BLOB NOT NULL,                   -- float16, zlib
    PRIMARY KEY (layer, unit, rank, method)
) STRICT;

-- What does a unit detect, where the content of the images is known? (statistic "dissection" tells how it was measured)
CREATE TABLE concept (
    layer     INTEGER NOT NULL REFERENCES layer,
    unit      INTEGER NOT NULL,
    measure   TEXT NOT NULL,                -- above chance, bau
    rank      INTEGER NOT NULL,             -- 0 is the highest score
    concept   TEXT NOT NULL,
    level     INTEGER NOT NULL,             -- 1 (strokes, colours) and up; 0 of photographs, that have none
    score     REAL NOT NULL,                -- IoU above chance; the IoU for bau
    iou       REAL NOT NULL,                -- 0..1, over all images
    frequency REAL NOT NULL,                -- share of px that carry the concept
    named     INTEGER NOT NULL,             -- 1 where the unit is named by it: the bar is reached
    PRIMARY KEY (layer, unit, measure, rank)
) STRICT, WITHOUT ROWID;

{later.CONCEPT_CATEGORY}
{later.LABEL}
{later.MISFIT}
{later.WORD}
{later.INTERVENTION}
{later.PEAK_KIND}
-- What is said of a unit, in words?
CREATE TABLE note (
    layer INTEGER NOT NULL REFERENCES layer,
    unit  INTEGER NOT NULL,
    kind  TEXT NOT NULL,                    -- what wrote it: describe
    text  TEXT NOT NULL,
    PRIMARY KEY (layer, unit, kind)
) STRICT, WITHOUT ROWID;

-- What was measured of the images as a whole, or of a layer and method? JSON.
-- Names: images (how many were scanned), copies (how many were left out as copies of others), precision (of a 16-bit
-- network), engine (of one that proposes: name, images, run again; per layer its bound and candidates), pictures (how
-- many images were measured), classes, class_counts, colour, spectrum (layer NULL);
-- specificity (per layer and method: median, q25, q75, n); retention (per layer and method: n, own, edges, random,
-- pairs, partner, selectivity, each as mean, low, high); sample (per layer: images, seed; what strata
-- and neighbours are taken on); shares (per layer: refused, why its values cannot be shared out); use (images,
-- outputs: how many; or refused); dissection (per layer: figures, bau, baselines, settings); labels (per layer:
-- figures, shuffled, margin); misfits (layer NULL: judged, planted, found, images, labels, settings, left_out);
-- words (per layer: figures, shuffled, untrained, images, words, settings, left_out);
-- intervention (per layer: standing, baselines, pictures, drawn, settings, fixed).
CREATE TABLE statistic (
    id     INTEGER PRIMARY KEY,
    name   TEXT NOT NULL,
    layer  INTEGER REFERENCES layer,
    method TEXT,
    value  TEXT NOT NULL
) STRICT;

-- Which pieces of work are done? (stages: scan, project, sheets with what they cover; made, per
-- layer; merge: the sums of a scan, for those that join it to others)
CREATE TABLE shard (
    stage   TEXT NOT NULL,
    id      INTEGER NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (stage, id)
) STRICT, WITHOUT ROWID;
"""
