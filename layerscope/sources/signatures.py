"""What bytes are, told from how they begin: one table of the kinds of files that lie among people's pictures.

A row says what a kind is called, how its bytes begin, which suffixes name it, whether a file of it counts as an
image, and, where it cannot be read, what to do. The first row that fits counts. Signatures are those of the formats'
own specifications.
"""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

HEAD = 512  # bytes that tell a kind

CONVERT = "convert it to JPEG or PNG"
UNPACK = "unpack it"
ZIPPED = "name it zip://FOLDER::FILE.zip, or unpack it"
WRAP = "give its arrays as a Dataset"
TABLE = "name the data set hf:FOLDER:SPLIT"
PARQUET = f"{TABLE}, or this file hf:FILE.parquet"
DEVELOP = "develop it to JPEG, PNG or TIFF"
FULL_OF_IMAGES = (UNPACK, ZIPPED, WRAP, TABLE, PARQUET)  # advice on what may hold many


@dataclass(frozen=True, slots=True)
class ImageFormat:
    """A format of file met among images. image: it counts as an image, if perhaps as one that cannot be used. advice:
    what to do with one that is not read; empty for those that are."""

    name: str
    begins: str
    suffixes: str = ""
    advice: str = ""
    image: bool = True

    @property
    def holds_images(self) -> bool:
        """True for what is no image but may be full of them."""
        return not self.image and self.advice in FULL_OF_IMAGES

    @property
    def reason(self) -> str:
        """Why such a file cannot be used, and what to do, as a clause."""
        return f"{self.name}: {self.advice}" if self.image else f"not an image but {self.name}: {self.advice}"


def _no_image(name: str, begins: str, advice: str) -> ImageFormat:
    return ImageFormat(name, begins, "", advice, image=False)


KINDS = (
    ImageFormat("a JPEG", r"\xff\xd8\xff", ".jpg .jpeg .jpe .jfif .mpo"),
    ImageFormat("a PNG", r"\x89PNG\r\n\x1a\n", ".png .apng"),
    ImageFormat("a WebP", r"RIFF.{4}WEBP", ".webp"),
    ImageFormat("a GIF", r"GIF8[79]a", ".gif"),
    ImageFormat("a BMP", r"BM.{4}\0\0\0\0", ".bmp .dib"),
    ImageFormat("a camera's raw file", r"II\*\0.{4}CR|.{4}ftypcrx|FUJIFILMCCD-RAW|IIR[OS]|IIU\0|FOVb",
         ".cr2 .cr3 .crw .nef .nrw .arw .srf .sr2 .dng .raf .orf .rw2 .pef .srw .x3f .3fr .iiq", DEVELOP),
    ImageFormat("a TIFF", r"II[*+]\0|MM\0[*+]", ".tif .tiff"),
    ImageFormat("a PPM", r"P[1-6]\s+(#[^\n]*\n\s*)*\d", ".ppm .pgm .pbm .pnm"),
    ImageFormat("a JPEG 2000", r"\xff\x4f\xff\x51|\0\0\0\x0cjP  \r\n\x87\n", ".jp2 .j2k .jpx .jpf .j2c"),
    ImageFormat("an AVIF", r".{4}ftyp(avif|avis)|.{4}ftyp(mif1|msf1)(?!.{4,64}hei[cxms]).{4,64}avif", ".avif"),
    ImageFormat("an HEIC photograph", r".{4}ftyp(hei[cxms]|hev[cxms]|mif1|msf1)", ".heic .heif .hif", CONVERT),
    ImageFormat("a JPEG XL picture", r"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n", ".jxl", CONVERT),
    ImageFormat("a JPEG XR picture", r"II\xbc[\0\x01]", ".jxr .wdp", CONVERT),
    ImageFormat("a Photoshop document", r"8BP[SB]", ".psd .psb", CONVERT),
    ImageFormat("a GIMP document", r"gimp xcf", ".xcf", CONVERT),
    ImageFormat("an OpenEXR picture", r"v/1\x01", ".exr", WRAP),
    ImageFormat("a Radiance HDR picture", r"#\?R(ADIANC|GB)E", ".hdr", WRAP),
    ImageFormat("a Windows icon", r"\0\0[\x01\x02]\0[^\0]\0", ".ico .cur", CONVERT),
    ImageFormat("a Mac icon", r"icns\0", ".icns", CONVERT),
    ImageFormat("a QOI picture", r"qoif", ".qoi", CONVERT),
    ImageFormat("a DDS texture", r"DDS \x7c\0\0\0", ".dds", CONVERT),
    ImageFormat("an SGI picture", r"\x01\xda[\0\x01][\x01\x02]", ".sgi", CONVERT),
    ImageFormat("a PCX picture", r"\x0a[\0\x02-\x05]\x01[\x01\x02\x04\x08]", ".pcx", CONVERT),
    ImageFormat("a TGA picture", r"(?!)", ".tga", CONVERT),
    ImageFormat("a DjVu document", r"AT&TFORM", ".djvu", CONVERT),
    ImageFormat("a DICOM image", r".{128}DICM", ".dcm .dicom", WRAP),
    ImageFormat("a FITS image", r"SIMPLE  =", ".fits .fit", WRAP),
    ImageFormat("a NIfTI volume", r".{344}n[i+]1\0", ".nii", WRAP),
    _no_image("an SVG drawing", r"(\xef\xbb\xbf)?\s*(<\?xml.*?\?>\s*)?(<!.*?>\s*)*<svg[\s>]", "render it to PNG"),
    _no_image("a web page", r"(?i:(\xef\xbb\xbf)?\s*(<\?xml.*?\?>\s*)?<(!doctype )?html)",
              "if it stands in the place of a picture, fetch that again"),
    _no_image("the place-holder of a file in Git LFS", r"version https://git-lfs", "fetch the file with git lfs pull"),
    _no_image("an atlas or another SQLite database", r"SQLite format 3\0", "open an atlas with layerscope show"),
    _no_image("a PDF document", r"%PDF-", "render its pages to PNG"),
    _no_image("PostScript", r"%!PS|\xc5\xd0\xd3\xc6", "render it to PNG"),
    _no_image("NumPy arrays", r"\x93NUMPY|PK\x03\x04.{26}[ -~]{1,200}\.npy", WRAP),
    _no_image("a ZIP archive", r"PK(\x03\x04|\x05\x06)", ZIPPED),
    _no_image("gzip-compressed", r"\x1f\x8b", UNPACK),
    _no_image("bzip2-compressed", r"BZh[1-9]", UNPACK),
    _no_image("xz-compressed", r"\xfd7zXZ\0", UNPACK),
    _no_image("Zstandard-compressed", r"\x28\xb5\x2f\xfd", UNPACK),
    _no_image("a 7-Zip archive", r"7z\xbc\xaf\x27\x1c", UNPACK),
    _no_image("a RAR archive", r"Rar!\x1a\x07", UNPACK),
    _no_image("a tar archive", r".{257}ustar", "name it .tar, and give it alone"),
    _no_image("a Parquet table", r"PAR1", PARQUET),
    _no_image("an Arrow table", r"ARROW1|\xff\xff\xff\xff.{2}\0\0\x10\0\0\0", TABLE),
    _no_image("an HDF5 file", r"\x89HDF\r\n\x1a\n", WRAP),
    _no_image("an LMDB database", r".{16}\xde\xc0\xef\xbe", WRAP),
    _no_image("a MATLAB file", r"MATLAB 5\.0", WRAP),
    _no_image("a Python pickle", r"\x80[\x02-\x05].", WRAP),
    _no_image("a video", r".{4}(ftyp|moov|mdat|wide)|RIFF.{4}AVI |\x1a\x45\xdf\xa3|\0\0\x01[\xb3\xba]|FLV\x01",
              "save its frames as pictures"),
    _no_image("sound", r"RIFF.{4}WAVE|ID3[\x02-\x04]\0|OggS|fLaC", "it holds no picture"),
    _no_image("a Mac's side file", r"\0\x05\x16[\0\x07]", "it holds no picture"),
    _no_image("nothing but zero bytes", r"\0+\Z", "copy it again"),
)  # fmt: skip

_BEGINS = tuple((kind, re.compile(kind.begins.encode("ascii"), re.DOTALL)) for kind in KINDS)
_BY_SUFFIX = {suffix: kind for kind in KINDS for suffix in kind.suffixes.split()}


def format_of_bytes(head: bytes) -> ImageFormat | None:
    """What bytes that begin so are; None where no row fits. head: the first HEAD bytes, or all there are."""
    return next((kind for kind, begins in _BEGINS if begins.match(head[:HEAD])), None)


def format_of_name(name: str) -> ImageFormat | None:
    """What a file of this name is meant to be; None where no row has its suffix."""
    return _BY_SUFFIX.get(PurePosixPath(name).suffix.lower())


def named_as_image(name: str) -> bool:
    """True where the suffix is one of pictures, of whatever kind; most are not read."""
    kind = format_of_name(name)
    return kind is not None and kind.image
