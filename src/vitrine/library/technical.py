"""The technical data of a file: their names and types, as the wire has them (contract 04 section 8)."""

TYPES = {
    "Width": "integer", "Height": "integer", "ColorSpace": "string", "Channels": "integer", "Orientation": "integer",
    "ThumbnailOrientation": "string", "ColorDepth": "integer", "Duration": "float", "AudioCodec": "string",
    "AudioSamplerate": "float", "VideoCodec": "string", "FrameRate": "float", "MimeType": "string", "FileSize": "long",
    "Longitude": "float", "LongitudeRef": "string", "Latitude": "float", "LatitudeRef": "string",
    "FocalLength": "float", "CameraModel": "string", "FlashFired": "boolean", "Aperture": "float",
    "ShutterSpeed": "float", "HyperfocalDistance": "float", "ISO": "integer", "LightValue": "float",
}  # fmt: skip
