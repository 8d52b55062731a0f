"""The networks of the sweep: one row each, by kind. Adding one is adding its name."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from families.own import OWN


@dataclass(frozen=True)
class Subject:
    """A network of the sweep. kind: a row of `families.kinds`. name: as that kind calls it. side: px of its input."""

    kind: str
    name: str
    side: int = 64

    @property
    def text(self) -> str:
        """How it is written in the table and for --only."""
        return f"{self.kind}:{self.name}"


SENTENCES: dict[str, str] = {
    "torchvision": "torchvision's classification networks",
    "torchvision-segmentation": "torchvision's segmentation networks, whole",
    "torchvision-backbone": "torchvision's detectors, by their backbone",
    "timm": "networks of timm",
    "own": "what people write themselves: one small network for each habit",
    "keras": "keras.applications, on the torch backend",
    "onnx": "ONNX files, written by torch.onnx.export",
    "hf": "transformers' image classifiers, by their configuration",
    "smp": "segmentation_models_pytorch, decoder/encoder",
    "yolo": "YOLO, from ultralytics' yaml files",
    "xrv": "torchxrayvision",
    "monai": "MONAI, in two dimensions",
}
NAMES: dict[str, str] = {
    "torchvision": """
        alexnet@96 convnext_tiny densenet121 efficientnet_b0 efficientnet_v2_s googlenet inception_v3@96 maxvit_t@224
        mnasnet0_5 mobilenet_v2 mobilenet_v3_large mobilenet_v3_small regnet_x_400mf regnet_y_400mf resnet18 resnet50
        resnext50_32x4d shufflenet_v2_x0_5 shufflenet_v2_x1_0 squeezenet1_0 squeezenet1_1 vgg11 vgg16_bn wide_resnet50_2
        convnext_small densenet169 densenet201 efficientnet_b1 efficientnet_b2 efficientnet_b3 efficientnet_b4
        efficientnet_v2_m mnasnet0_75 mnasnet1_0 mnasnet1_3 regnet_x_1_6gf regnet_x_3_2gf regnet_x_800mf regnet_y_1_6gf
        regnet_y_3_2gf regnet_y_800mf resnet34 resnet101 resnet152 resnext101_32x8d shufflenet_v2_x1_5
        shufflenet_v2_x2_0 vgg11_bn vgg13 vgg13_bn vgg16 vgg19 vgg19_bn swin_t@224 vit_b_16@224
        """,
    "torchvision-segmentation": """
        deeplabv3_mobilenet_v3_large deeplabv3_resnet50 deeplabv3_resnet101 fcn_resnet50 fcn_resnet101
        lraspp_mobilenet_v3_large
        """,
    "torchvision-backbone": """
        fasterrcnn_resnet50_fpn fasterrcnn_mobilenet_v3_large_fpn fcos_resnet50_fpn maskrcnn_resnet50_fpn
        keypointrcnn_resnet50_fpn retinanet_resnet50_fpn ssd300_vgg16@300 ssdlite320_mobilenet_v3_large
        """,
    "timm": """
        bat_resnext26ts@256 botnet26t_256@256 coatnet_0_rw_224@224 convformer_s18 convmixer_768_32 convnext_tiny
        convnextv2_atto csatv2@512 cspdarknet53 cspresnet50 darknet53 densenet121 densenetblur121d dla34 dpn68
        eca_resnext26ts eca_vovnet39b ecaresnet26t edgenext_xx_small efficientnet_b0 efficientnet_b0_g16_evos
        efficientnet_b0_gn efficientnet_blur_b0 efficientnet_cc_b0_4e efficientnet_es efficientnet_lite0
        efficientnet_x_b3 efficientnetv2_rw_t efficientvit_b0 ese_vovnet19b_dw ese_vovnet39b_evos fasternet_t0
        fastvit_t8 fbnetc_100 focalnet_tiny_srf gc_efficientnetv2_rw_t gcresnet33ts gernet_s ghostnet_100 ghostnetv2_100
        halonet26t@256 hardcorenas_a hgnet_tiny hgnetv2_b0 hrnet_w18_small inception_next_atto inception_resnet_v2@96
        inception_v3@96 inception_v4@96 lambda_resnet26t@256 lcnet_050 lcnetv2_small legacy_seresnet18
        legacy_xception@96 mambaout_femto mixnet_s mnasnet_100 mnasnet_small mobilenet_edgetpu_100 mobilenetv1_100
        mobilenetv2_050 mobilenetv3_large_100 mobilenetv3_small_050 mobilenetv4_conv_blur_medium mobilenetv4_conv_small
        mobilenetv4_hybrid_medium mobileone_s0 nasnetalarge@96 nextvit_small nf_resnet50 nfnet_l0 pnasnet5large@96
        poolformer_s12 rdnet_tiny regnetv_040 regnetx_002 regnety_002 regnetz_005 regnetz_b16_evos regnetz_c16
        repghostnet_050 repvgg_a0 repvit_m0_9 res2net50_26w_4s resnest14d resnet18 resnet26t resnet33ts resnet50
        resnet50_clip@224 resnet50_gn resnet50_mlp resnet50d resnetaa50d resnetblur18 resnetrs50 resnetv2_50
        resnetv2_50d_evos resnetv2_50d_frn resnetv2_50x1_bit resnext50_32x4d rexnet_100 selecsls42b semnasnet_050
        semnasnet_075 sequencer2d_s@224 seresnet18 skresnet18 spnasnet_100 starnet_s1 tf_efficientnet_b0
        tf_efficientnet_cc_b0_4e tf_efficientnet_es tf_efficientnet_lite0 tf_efficientnetv2_b0 tf_mobilenetv3_small_100
        tf_mobilenetv3_small_minimal_100 tinynet_e tresnet_m vgg11 vgg11_bn visformer_tiny@224
        vit_small_patch16_224@224 vovnet39a wide_resnet50_2 xception41
        """,
    "own": " ".join(OWN),
    "keras": """
        VGG16 ResNet50 ResNet50V2 MobileNet MobileNetV2 MobileNetV3Small MobileNetV3Large DenseNet121 EfficientNetB0
        EfficientNetV2B0 ConvNeXtTiny NASNetMobile InceptionV3@96 InceptionResNetV2@96 Xception@96 VGG19 ResNet101
        ResNet152 ResNet101V2 ResNet152V2 DenseNet169 DenseNet201 EfficientNetB1 EfficientNetB2 EfficientNetB3
        EfficientNetB4 EfficientNetV2B1 EfficientNetV2B2 EfficientNetV2B3 EfficientNetV2S ConvNeXtSmall
        """,
    "onnx": """
        torchvision/resnet18 torchvision/mobilenet_v2 torchvision/mobilenet_v3_small torchvision/efficientnet_b0
        torchvision/squeezenet1_1 torchvision/densenet121 torchvision/googlenet torchvision/shufflenet_v2_x0_5
        torchvision/regnet_y_400mf torchvision/convnext_tiny timm/mobilenetv4_conv_small timm/tf_efficientnet_lite0
        own/unet_nearest own/unet_transposed own/shuffle
        """,
    "hf": """
        bit convnext convnextv2 efficientnet focalnet hgnet_v2 mobilenet_v1 mobilenet_v2 mobilevit poolformer regnet
        resnet
        """,
    "smp": """
        Unet/resnet18 FPN/resnet18 DeepLabV3Plus/resnet18 Unet/resnet50 Unet/mobilenet_v2 FPN/mobilenet_v2
        DeepLabV3Plus/mobilenet_v2 Unet/efficientnet-b0 FPN/efficientnet-b0 DeepLabV3Plus/efficientnet-b0 Unet/vgg11_bn
        FPN/vgg11_bn Unet/densenet121 Unet/se_resnet50 FPN/se_resnet50 DeepLabV3Plus/se_resnet50 Unet/xception@96
        Unet/inceptionv4@96 Unet/dpn68 FPN/dpn68 Unet/resnext50_32x4d DeepLabV3Plus/resnext50_32x4d
        Unet/timm-regnety_002 Unet/mobileone_s0 FPN/mobileone_s0 Unet/timm-skresnet18 Unet/timm-res2net50_26w_4s
        UnetPlusPlus/resnet18 Linknet/resnet18 PSPNet/resnet18 PAN/resnet18@128 DeepLabV3/resnet18 MAnet/resnet18
        UPerNet/resnet18
        """,
    "yolo": """
        yolov3-tiny yolov5n yolov6n yolov8n yolov9t yolov10n yolo11n yolov8n-cls yolov8n-seg yolov8n-pose yolov8n-obb
        yolo11n-cls yolo11n-seg yolo12n
        """,
    "xrv": "DenseNet",
    "monai": "UNet BasicUNet AttentionUnet SegResNet DenseNet121 SEResNet50 DynUNet VNet FlexibleUNet EfficientNetBN",
}


def subjects(pattern: str = "*") -> list[Subject]:
    """The rows whose text matches a pattern, kinds one after the other."""
    return [one for one in _all() if fnmatchcase(one.text, pattern)]


def _all() -> Iterable[Subject]:
    for kind, names in NAMES.items():
        for word in names.split():
            name, _, side = word.partition("@")
            yield Subject(kind, name, int(side or 64))
