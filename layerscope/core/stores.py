"""The stores of images that are elsewhere, one row for each word before "://"; fsspec opens what they name.

Help, docs, refusals and tests loop over these rows. Credentials are no setting: each machine has its own.
"""

from dataclasses import dataclass

REMOTE = "layerscope[remote]"


@dataclass(frozen=True, kw_only=True)
class ImageStore:
    """A kind of store.

    name: the word before "://". form: as users write it. sentence: what it gives, without a full stop. needs: modules.
    keys: where credentials come from, as a clause.
    """

    name: str
    form: str
    sentence: str
    needs: tuple[str, ...]
    keys: str

    @property
    def prefix(self) -> str:
        """How addresses in this store begin."""
        return f"{self.name}://"


_WEB = "a server that asks for a user reads them from ~/.netrc"

STORES = (
    ImageStore(
        name="s3", form="s3://BUCKET/FOLDER", sentence="objects of a bucket that speaks S3", needs=("fsspec", "s3fs"),
        keys="a profile or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY give them; public ones: FSSPEC_S3_ANON=true",
    ),
    ImageStore(
        name="gs", form="gs://BUCKET/FOLDER", sentence="objects of Google Cloud Storage", needs=("fsspec", "gcsfs"),
        keys="gcloud auth application-default login gives them; public ones: FSSPEC_GS_TOKEN=anon",
    ),
    ImageStore(
        name="hf", form="hf://datasets/OWNER/NAME", sentence="files of a repository of the Hugging Face Hub",
        needs=("fsspec", "huggingface_hub"), keys="hf auth login or HF_TOKEN gives them",
    ),
    ImageStore(
        name="https", form="https://HOST/FOLDER/", sentence="files of a web server, whose pages list its folders",
        needs=("fsspec", "aiohttp"), keys=_WEB,
    ),
    ImageStore(
        name="http", form="http://HOST/FOLDER/", sentence="the same without encryption", needs=("fsspec", "aiohttp"),
        keys=_WEB,
    ),
    ImageStore(
        name="zip", form="zip://FOLDER::FILE.zip", sentence="files inside a ZIP archive, here or in another store",
        needs=("fsspec",), keys="those of where the archive lies",
    ),
)  # fmt: skip

# Packages that open stores or ask them: their errors tell of a store, and their log lines are no sentences of ours.
LIBRARIES = frozenset(
    {"aiobotocore", "aiohttp", "botocore", "fsspec", "gcsfs", "google", "httpcore", "httpx", "huggingface_hub",
     "requests", "s3fs", "urllib3"}
)  # fmt: skip


def store_of(address: object) -> ImageStore | None:
    """The store that a text names; None for any other text, and for what is none."""
    if not isinstance(address, str):
        return None
    return next((row for row in STORES if address.startswith(row.prefix) and address != row.prefix), None)
